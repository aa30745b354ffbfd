/** Callers of the API, by the credential that their requests bear, as the authority of this process knows them. */
import type { FastifyRequest } from 'fastify';
import { FULL_ACCESS } from '../auth/access.ts';
import { credentialOf } from '../auth/credentials.ts';
import type { AuthProvider } from '../auth/provider.ts';
import type { Callers } from './authentication.ts';
import type { Caller } from './caller.ts';
import { Problem } from './problem.ts';

const RETRY_AFTER_S = 5;

export function callersOf(provider: AuthProvider): Callers {
  return {
    async callerOf({ headers, ip: address }: FastifyRequest): Promise<Caller | null> {
      const credential = credentialOf({ headers, query: new URLSearchParams(), address }, provider);
      if (credential === null) return null;
      const opened = await provider.authenticate(credential, null);
      if (opened.outcome === 'refused') throw new Problem('credential_refused', opened.message);
      if (opened.outcome === 'unavailable') {
        throw new Problem('authority_unavailable', 'who you are cannot be asked', { retryAfterSeconds: RETRY_AFTER_S });
      }
      const { role, scopes } = FULL_ACCESS;
      const mayWrite = (deviceId: string): boolean => FULL_ACCESS.mayWrite(deviceId);
      return { id: opened.identity.userId, role, scopes, visibility: { kind: 'all' }, mayWrite };
    },
  };
}
