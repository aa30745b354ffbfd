/**
 * Who a credential belongs to. That Directus accepts it is not enough: the JWT of a suspended or deleted user goes on
 * working until it ends, and so does the role that the user had. So the status and the role of today are read, by the
 * user or by the service account, and compared.
 */
import type { Authentication, Credential, Identity, RefusalCode, Refused } from '../provider.ts';
import type { DirectusClient } from './client.ts';
import { DirectusUnavailable } from './client.ts';
import type { TokenClaims } from './token.ts';
import { claimsOf, isWellFormed } from './token.ts';
import type { DirectusUser, UserDirectory } from './user-directory.ts';
import { USER_FIELDS, directusUser } from './user-directory.ts';

export interface IdentityOptions {
  readonly client: DirectusClient;
  readonly timeoutMs: number;
  /** null: there is no service account. */
  readonly directory: UserDirectory | null;
  readonly acceptUnknownStatus: boolean;
}

function refused(code: RefusalCode, message: string): Refused {
  return { outcome: 'refused', code, message };
}

/** An anonymous caller or a share link has no user. */
async function whoAmI(
  { client, timeoutMs }: IdentityOptions,
  { secret: token, address }: Credential,
): Promise<DirectusUser | Refused> {
  const path = `/users/me?fields=${USER_FIELDS.join()}`;
  const answer = await client.ask({ method: 'GET', path, token, address, timeoutMs });
  if (answer.kind === 'dead_credential') {
    const isExpired = answer.code === 'TOKEN_EXPIRED';
    return refused(isExpired ? 'credential_expired' : 'credential_refused', 'Directus does not accept the credential');
  }
  const found = answer.kind === 'data' ? directusUser.safeParse(answer.data) : undefined;
  return found?.success === true ? found.data : refused('credential_refused', 'the credential belongs to no user');
}

/** null: nothing speaks against it. Directus itself asks for the status of the owner of a static token. */
function objection(
  found: DirectusUser | undefined,
  claims: TokenClaims | null,
  acceptUnknown: boolean,
): Refused | null {
  if (found === undefined) return refused('user_inactive', 'the user does not exist any more');
  if (found.status === undefined) {
    if (claims === null || acceptUnknown) return null;
    return refused('status_unknown', 'neither the user nor the service account may read the status of the user');
  }
  if (found.status !== 'active') return refused('user_inactive', `the user is ${found.status}`);
  if (claims !== null && found.role !== undefined && found.role !== claims.role) {
    return refused('role_changed', 'the role of the user has changed since the login: sign in again');
  }
  return null;
}

/**
 * @param known who it was when the credential was last asked about: then the service account alone is asked, and
 *   whether Directus still accepts the credential shows when it is used
 */
export async function identify(
  options: IdentityOptions,
  credential: Credential,
  known: Identity | null,
): Promise<Authentication> {
  if (!isWellFormed(credential.secret)) return refused('credential_refused', 'the credential is malformed');
  const { directory } = options;
  try {
    const me = known === null || directory === null ? await whoAmI(options, credential) : { id: known.userId };
    if ('outcome' in me) return me;
    const claims = claimsOf(credential.secret);
    const found = directory === null ? me : await directory.find(me.id);
    const refusal = objection(found, claims, options.acceptUnknownStatus);
    return refusal ?? { outcome: 'accepted', identity: { userId: me.id, expiresAt: claims?.expiresAt ?? null } };
  } catch (error) {
    if (!(error instanceof DirectusUnavailable)) throw error;
    return { outcome: 'unavailable', message: error.message };
  }
}
