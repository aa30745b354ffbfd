/**
 * Callers of the API, by the credential that their requests bear, as the authority of this process knows them: the same
 * credentials, decisions and cache as the live server's. A token in the URL, which ends up in logs, is none here.
 */
import type { FastifyRequest } from 'fastify';
import type { Access } from '../auth/access.ts';
import type { Authority } from '../auth/authority.ts';
import { credentialOf } from '../auth/credentials.ts';
import type { Refused, Unavailable } from '../auth/provider.ts';
import { resourceKey } from '../auth/provider.ts';
import type { Session } from '../auth/session.ts';
import type { Callers } from './authentication.ts';
import { CHALLENGE } from './authentication.ts';
import type { Caller, Visibility } from './caller.ts';
import { checkOrigin } from './origins.ts';
import { Problem } from './problem.ts';

const RETRY_AFTER_S = 5;
const NO_QUERY = new URLSearchParams();
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

function unavailable(): Problem {
  return new Problem('authority_unavailable', 'who you are cannot be asked at the moment', { retryAfterSeconds: RETRY_AFTER_S });
}

function problemOf(answer: Refused | Unavailable): Problem {
  if (answer.outcome === 'unavailable') return unavailable();
  return new Problem('credential_refused', answer.message, { headers: CHALLENGE });
}

/** Of these those that may be read, asked together with whatever else is asked at this moment. */
async function readable(session: Session, kind: 'device' | 'group', ids: readonly string[]): Promise<ReadonlySet<string>> {
  const decisions = await session.authorise(ids.map((id) => ({ kind, id }) as const));
  const found = new Set<string>();
  for (const id of ids) {
    const decision = decisions.get(resourceKey({ kind, id }));
    if (decision === 'unavailable') throw unavailable();
    if (decision === 'allowed') found.add(id);
  }
  return found;
}

function visibilityOf({ reach }: Access, session: Session): Visibility {
  const readableGroups = (ids: readonly string[]): Promise<ReadonlySet<string>> => readable(session, 'group', ids);
  switch (reach.kind) {
    case 'all':
      return reach.groups === 'asked' ? { kind: 'all', readableGroups } : { kind: 'all' };
    case 'granted':
      return reach;
    case 'asked':
      return { kind: 'asked', readable: (ids) => readable(session, 'device', ids), readableGroups };
  }
}

function callerOf(session: Session, access: Access): Caller {
  const { userId: id, expiresAt } = session.identity;
  const { role, scopes } = access;
  const mayWrite = (deviceId: string): boolean => access.mayWrite(deviceId);
  return { id, role, scopes, expiresAt, visibility: visibilityOf(access, session), mayWrite };
}

/** @param allowedOrigins of pages that may change something with a cookie */
export function callersOf({ provider, sessions }: Authority, allowedOrigins: readonly string[]): Callers {
  return {
    async callerOf(request: FastifyRequest): Promise<Caller | null> {
      const { headers, ip: address, method } = request;
      const credential = credentialOf({ headers, query: NO_QUERY, address }, provider);
      if (credential === null) return null;
      if (credential.secret === '') throw new Problem('credential_refused', 'expected Authorization: Bearer, and a token', { headers: CHALLENGE });
      const opened = await sessions.open(credential);
      if (opened.outcome !== 'accepted') throw problemOf(opened);
      const isByCookie = credential.kind === 'cookie';
      if (isByCookie && !SAFE_METHODS.has(method)) checkOrigin(request, allowedOrigins, { isDemanded: true });
      const answer = await opened.session.access();
      if (answer.outcome !== 'decided') throw problemOf(answer);
      return callerOf(opened.session, answer.access);
    },
  };
}
