/**
 * Signing in and out: a password, or a key or token, becomes a browser session. Who fails too often waits, and a wrong
 * name costs as much time as a wrong password.
 */
import { errorMessage } from '../../shared/errors.ts';
import type { Authentication, Credential } from '../provider.ts';
import type { LocalAccounts } from './accounts.ts';
import type { BrowserSessions, NewSession } from './browser-sessions.ts';
import type { AccountDirectory } from './directory.ts';
import type { LoginLimit } from './login-limit.ts';
import { NOBODYS_HASH, PasswordsBusyError, isPassword } from './passwords.ts';
import { subjectOf } from '../../shared/contracts/accounts.ts';

export type LoginRequest =
  | { readonly name: string; readonly password: string }
  /** An API key, or the administrator's token. */
  | { readonly key: string };

export type LoginAnswer =
  | { readonly outcome: 'signed_in'; readonly subject: string; readonly session: NewSession }
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'locked'; readonly retryAfterSeconds: number }
  /** Too many passwords are being checked. */
  | { readonly outcome: 'busy' }
  /** Redis, which keeps the sessions, is away. */
  | { readonly outcome: 'unavailable'; readonly message: string };

interface SignInOptions {
  readonly accounts: LocalAccounts;
  readonly directory: AccountDirectory;
  readonly browserSessions: BrowserSessions;
  readonly limit: LoginLimit;
}

class NotKnownYetError extends Error {
  override readonly name = 'NotKnownYetError';
}

type Identified = Extract<Authentication, { outcome: 'accepted' }>['identity'];

export class SignIn {
  readonly #options: SignInOptions;

  constructor(options: SignInOptions) {
    this.#options = options;
  }

  /** @param address of whoever signs in */
  async signIn(request: LoginRequest, address: string): Promise<LoginAnswer> {
    const { limit } = this.#options;
    const retryAfterSeconds = await limit.take(address);
    if (retryAfterSeconds > 0) return { outcome: 'locked', retryAfterSeconds };
    let identity: Identified | null;
    try {
      identity = 'key' in request ? await this.#byKey(request.key, address) : await this.#byPassword(request);
    } catch (error) {
      if (!(error instanceof PasswordsBusyError) && !(error instanceof NotKnownYetError)) throw error;
      await limit.succeeded(address);
      return error instanceof PasswordsBusyError ? { outcome: 'busy' } : { outcome: 'unavailable', message: error.message };
    }
    if (identity === null) return { outcome: 'refused' };
    await limit.succeeded(address);
    return this.#open(identity);
  }

  /** @throws those of Redis */
  async signOut(sessionId: string): Promise<void> {
    const { browserSessions, directory } = this.#options;
    await browserSessions.end(sessionId);
    // This process hears of it like the others, and at once.
    await directory.refresh();
  }

  async #byPassword({ name, password }: { name: string; password: string }): Promise<Identified | null> {
    const { directory } = this.#options;
    if (!directory.isKnown) throw new NotKnownYetError('keys and users were not read from Redis yet');
    const user = directory.findUser(name);
    const isRight = await isPassword(password, user?.passwordHash ?? NOBODYS_HASH);
    return isRight && user !== undefined ? { userId: subjectOf(user), expiresAt: null } : null;
  }

  async #byKey(secret: string, address: string): Promise<Identified | null> {
    const credential: Credential = { kind: 'bearer', secret, address };
    const answer = await this.#options.accounts.identify(credential);
    if (answer.outcome === 'unavailable') throw new NotKnownYetError(answer.message);
    return answer.outcome === 'accepted' ? answer.identity : null;
  }

  async #open({ userId: subject, expiresAt: until }: Identified): Promise<LoginAnswer> {
    const stamp = this.#options.accounts.stampOf(subject);
    if (stamp === null) return { outcome: 'refused' };
    try {
      const session = await this.#options.browserSessions.create({ subject, stamp, until });
      return { outcome: 'signed_in', subject, session };
    } catch (error) {
      return { outcome: 'unavailable', message: errorMessage(error) };
    }
  }
}
