/**
 * Who a credential belongs to. That Directus accepts it is not enough: the JWT of a suspended or deleted user goes on
 * working until it ends, and so does the role that the user had. So the status and the role of today are read, by the
 * user or by the service account, and compared.
 */
import { z } from 'zod';
import type { Authentication, Credential, RefusalCode, Refused } from '../provider.ts';
import type { DirectusClient } from './client.ts';
import { DirectusUnavailable } from './client.ts';
import type { TokenClaims } from './token.ts';
import { claimsOf, isWellFormed } from './token.ts';

export interface IdentityOptions {
  readonly client: DirectusClient;
  readonly timeoutMs: number;
  readonly serviceToken: string | undefined;
  readonly acceptUnknownStatus: boolean;
}

/** Directus leaves out what the asker may not read, without a word. */
const user = z.object({ id: z.string(), status: z.string().optional(), role: z.string().nullish() });
const users = z.array(user);
type User = z.infer<typeof user>;

const FIELDS = 'id,status,role';

function refused(code: RefusalCode, message: string): Refused {
  return { outcome: 'refused', code, message };
}

/** An anonymous caller or a share link has no user. */
async function whoAmI(options: IdentityOptions, { secret: token, address }: Credential): Promise<User | Refused> {
  const { client, timeoutMs } = options;
  const answer = await client.ask({ method: 'GET', path: `/users/me?fields=${FIELDS}`, token, address, timeoutMs });
  if (answer.kind === 'dead_credential') {
    const isExpired = answer.code === 'TOKEN_EXPIRED';
    return refused(isExpired ? 'credential_expired' : 'credential_refused', 'Directus does not accept the credential');
  }
  const found = answer.kind === 'data' ? user.safeParse(answer.data) : undefined;
  return found?.success === true ? found.data : refused('credential_refused', 'the credential belongs to no user');
}

/** The user as the service account sees it; undefined: there is no such user. */
async function lookUp({ client, timeoutMs }: IdentityOptions, token: string, { id }: User): Promise<User | undefined> {
  const query = { filter: { id: { _eq: id } }, fields: FIELDS.split(','), limit: 1 };
  // The question is this server's own.
  const address = '127.0.0.1';
  const answer = await client.ask({ method: 'SEARCH', path: '/users', body: { query }, token, address, timeoutMs });
  const found = answer.kind === 'data' ? users.safeParse(answer.data) : undefined;
  if (found?.success !== true) throw new DirectusUnavailable('DIRECTUS_SERVICE_TOKEN may not read the users');
  return found.data.find((candidate) => candidate.id === id);
}

/** null: nothing speaks against it. Directus itself asks for the status of the owner of a static token. */
function objection(found: User | undefined, claims: TokenClaims | null, acceptUnknown: boolean): Refused | null {
  if (found === undefined) return refused('user_inactive', 'the user does not exist any more');
  if (found.status === undefined) {
    if (claims === null || acceptUnknown) return null;
    return refused('status_unknown', 'neither the user nor the service account may read the status of the user: see docs/directus.md');
  }
  if (found.status !== 'active') return refused('user_inactive', `the user is ${found.status}`);
  if (claims !== null && found.role !== undefined && found.role !== claims.role) {
    return refused('role_changed', 'the role of the user has changed since the login: sign in again');
  }
  return null;
}

export async function identify(options: IdentityOptions, credential: Credential): Promise<Authentication> {
  if (!isWellFormed(credential.secret)) return refused('credential_refused', 'the credential is malformed');
  try {
    const me = await whoAmI(options, credential);
    if ('outcome' in me) return me;
    const claims = claimsOf(credential.secret);
    const { serviceToken } = options;
    const found = serviceToken === undefined ? me : await lookUp(options, serviceToken, me);
    const refusal = objection(found, claims, options.acceptUnknownStatus);
    return refusal ?? { outcome: 'accepted', identity: { userId: me.id, expiresAt: claims?.expiresAt ?? null } };
  } catch (error) {
    if (!(error instanceof DirectusUnavailable)) throw error;
    return { outcome: 'unavailable', message: error.message };
  }
}
