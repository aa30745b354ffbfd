/**
 * `AUTH_PROVIDER=local`: the administrator with the token of the installation, API keys, and users with browser
 * sessions. Whoever is none of them is refused.
 */
import type { AccessAnswer, AuthProvider, Authorisation, AuthorityChange } from '../provider.ts';
import { resourceKey } from '../provider.ts';
import { digest } from './api-key.ts';
import { LocalAccounts } from './accounts.ts';

export const SESSION_COOKIE = 'odograph_session';

/** What the provider needs of its surroundings; see `createLocalAuthority`. */
export interface LocalProviderOptions {
  readonly accounts: LocalAccounts;
  readonly start: (onChange: (change: AuthorityChange) => void) => void;
  readonly stop: () => void;
}

const GONE = { outcome: 'refused', code: 'credential_refused', message: 'the account is not there any more' } as const;

export function accountsProvider({ accounts, start, stop }: LocalProviderOptions): AuthProvider {
  return {
    name: 'local',
    cookieName: SESSION_COOKIE,
    takesQueryToken: true,
    keyOf: ({ kind, secret }) => digest(`${kind === 'cookie' ? 'cookie' : 'secret'} ${secret}`).toString('base64'),
    authenticate: (credential) => accounts.identify(credential),
    async authorise(_credential, resources, identity): Promise<Authorisation> {
      const access = accounts.accessOf(identity);
      if (access === null) return GONE;
      return { outcome: 'decided', allowed: new Set(resources.filter((one) => access.mayRead(one)).map(resourceKey)) };
    },
    async accessOf(_credential, identity): Promise<AccessAnswer> {
      const access = accounts.accessOf(identity);
      return access === null ? GONE : { outcome: 'decided', access };
    },
    watch: start,
    stop,
  };
}

/** With the administrator alone: no keys, no users, no sessions. @param token null: nobody is let in */
export function localProvider(token: string | null): AuthProvider {
  const directory = { isKnown: true, find: () => undefined, isMember: () => false };
  const accounts = new LocalAccounts({ token, directory, browserSessions: { find: () => Promise.resolve(null) } });
  return accountsProvider({ accounts, start: () => undefined, stop: () => undefined });
}
