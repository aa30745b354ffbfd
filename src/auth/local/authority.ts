/** The parts of `AUTH_PROVIDER=local`, put together over one Redis. */
import type { Redis } from '../../shared/redis.ts';
import type { AuthProvider, AuthorityChange } from '../provider.ts';
import { LocalAccounts } from './accounts.ts';
import { BrowserSessions } from './browser-sessions.ts';
import { AccountDirectory } from './directory.ts';
import { LoginLimit } from './login-limit.ts';
import { accountsProvider } from './provider.ts';
import { SignIn } from './sign-in.ts';

export interface LocalAuthorityOptions {
  readonly redis: Redis;
  /** Of the administrator; null: there is none. */
  readonly token: string | null;
  /** How long a browser session lasts, milliseconds. */
  readonly sessionTtlMs: number;
  readonly onError: (what: string, error: unknown) => void;
}

export interface LocalAuthority {
  readonly provider: AuthProvider;
  readonly signIn: SignIn;
  /** What is published now is known when this resolves. @throws those of Redis */
  refresh(): Promise<void>;
  /** Resolves when nothing asks Redis any more. */
  stop(): Promise<void>;
}

export function createLocalAuthority({ redis, token, sessionTtlMs, onError }: LocalAuthorityOptions): LocalAuthority {
  let report: (change: AuthorityChange) => void = () => undefined;
  const changed = (userIds: readonly string[]): void => {
    if (userIds.length > 0) report({ userIds });
  };
  const browserSessions = new BrowserSessions(redis, sessionTtlMs);
  const directory = new AccountDirectory({
    redis, onError,
    onChange: changed,
    onEnded: (idHashes) => { changed(browserSessions.forget(idHashes)); },
  });
  const accounts = new LocalAccounts({ token, directory, browserSessions });
  const provider = accountsProvider({
    accounts,
    start: (onChange) => {
      report = onChange;
      directory.start();
    },
    stop: () => { void directory.stop(); },
  });
  const signIn = new SignIn({ accounts, directory, browserSessions, limit: new LoginLimit(redis) });
  return { provider, signIn, refresh: () => directory.refresh(), stop: () => directory.stop() };
}
