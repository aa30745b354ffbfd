/**
 * `AUTH_PROVIDER=local`: one administrator, who holds the token of the installation and may read everything. Without a
 * token nobody is let in.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { AuthProvider, Authentication, Authorisation, Credential, Resource } from './provider.ts';
import { resourceKey } from './provider.ts';

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

const ADMINISTRATOR = { userId: 'administrator', expiresAt: null } as const;
const REFUSED = { outcome: 'refused', code: 'credential_refused', message: 'the token is not that of this installation' } as const;

/** @param token of the administrator; null: there is none */
export function localProvider(token: string | null): AuthProvider {
  const wanted = token === null ? null : digest(token);
  const isRight = ({ secret }: Credential): boolean => wanted !== null && timingSafeEqual(digest(secret), wanted);
  return {
    name: 'local',
    cookieName: null,
    takesQueryToken: true,
    keyOf: ({ secret }) => digest(secret).toString('base64'),
    async authenticate(credential): Promise<Authentication> {
      return isRight(credential) ? { outcome: 'accepted', identity: ADMINISTRATOR } : REFUSED;
    },
    async authorise(credential: Credential, resources: readonly Resource[]): Promise<Authorisation> {
      return isRight(credential) ? { outcome: 'decided', allowed: new Set(resources.map(resourceKey)) } : REFUSED;
    },
    watch: () => undefined,
    stop: () => undefined,
  };
}
