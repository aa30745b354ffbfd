/**
 * Who may do what under `AUTH_PROVIDER=local`: the administrator, who holds the token of the installation, API keys and
 * users. All of it is answered from memory, but for a browser session, which is asked for in Redis.
 */
import { timingSafeEqual } from 'node:crypto';
import type { PublishedAccount } from '../../shared/contracts/accounts.ts';
import { subjectOf } from '../../shared/contracts/accounts.ts';
import { errorMessage } from '../../shared/errors.ts';
import type { Access, Role, Scope } from '../access.ts';
import { FULL_ACCESS } from '../access.ts';
import type { Authentication, Credential, Identity, Refused, Resource, Unavailable } from '../provider.ts';
import { apiKeyId, digest } from './api-key.ts';
import type { BrowserSessions } from './browser-sessions.ts';
import type { AccountDirectory } from './directory.ts';

export const ADMINISTRATOR = 'administrator';

const SCOPES_OF_ROLE: Readonly<Record<Role, readonly Scope[]>> = {
  viewer: ['read'], editor: ['read', 'write'], admin: ['read', 'write', 'admin'],
};

const UNKNOWN: Refused = { outcome: 'refused', code: 'credential_refused', message: 'the credential is not known, or not any more' };
const NOT_KNOWN_YET: Unavailable = { outcome: 'unavailable', message: 'keys and users were not read from Redis yet' };
const EXPIRED: Refused = { outcome: 'refused', code: 'credential_expired', message: 'the credential has expired' };

function roleOf(scopes: readonly Scope[]): Role {
  if (scopes.includes('admin')) return 'admin';
  return scopes.includes('write') ? 'editor' : 'viewer';
}

/** A new secret makes another stamp. */
function stampOf(account: PublishedAccount): string {
  return digest(account.kind === 'key' ? account.secretHash : account.passwordHash).toString('base64url');
}

function accepted(userId: string, expiresAt: number | null): Authentication {
  return { outcome: 'accepted', identity: { userId, expiresAt } };
}

/** What an account reaches, decided at once. */
export interface LocalAccess extends Access {
  mayRead(resource: Resource): boolean;
}

const ADMINISTRATORS: LocalAccess = { ...FULL_ACCESS, mayRead: () => true };

export interface LocalAccountsOptions {
  /** Of the administrator; null: there is none. */
  readonly token: string | null;
  readonly directory: Pick<AccountDirectory, 'find' | 'isMember' | 'isKnown'>;
  readonly browserSessions: Pick<BrowserSessions, 'find'>;
}

export class LocalAccounts {
  readonly #options: LocalAccountsOptions;
  readonly #token: Buffer | null;
  /** Accounts are exchanged when they change, never changed. */
  readonly #access = new WeakMap<PublishedAccount, LocalAccess>();

  constructor(options: LocalAccountsOptions) {
    this.#options = options;
    this.#token = options.token === null ? null : digest(options.token);
  }

  /** Who presents this. */
  async identify({ kind, secret }: Credential): Promise<Authentication> {
    return kind === 'cookie' ? this.#identifySession(secret) : this.#identifySecret(secret);
  }

  /** What a session remembers of whoever signs in; null: they are not there any more. */
  stampOf(subject: string): string | null {
    if (subject === ADMINISTRATOR) return this.#token === null ? null : digest(this.#token.toString('base64')).toString('base64url');
    const account = this.#options.directory.find(subject);
    return account === undefined ? null : stampOf(account);
  }

  /** null: they are not there any more. */
  accessOf({ userId }: Pick<Identity, 'userId'>): LocalAccess | null {
    if (userId === ADMINISTRATOR) return this.#token === null ? null : ADMINISTRATORS;
    const account = this.#options.directory.find(userId);
    return account === undefined ? null : this.#accessOf(account);
  }

  #accessOf(account: PublishedAccount): LocalAccess {
    const known = this.#access.get(account);
    if (known !== undefined) return known;
    const access = this.#makeAccess(account);
    this.#access.set(account, access);
    return access;
  }

  #makeAccess(account: PublishedAccount): LocalAccess {
    const scopes = account.kind === 'key' ? account.scopes : SCOPES_OF_ROLE[account.role];
    const role = account.kind === 'key' ? roleOf(scopes) : account.role;
    const { all, devices, groups } = account;
    const allowed = new Set(role === 'admin' ? SCOPES_OF_ROLE.admin : scopes);
    const granted = { devices: new Set(devices), groups: new Set(groups) };
    const reaches = (deviceId: string): boolean =>
      all || granted.devices.has(deviceId) || groups.some((group) => this.#options.directory.isMember(group, deviceId));
    const isRead = (resource: Resource): boolean => {
      if (resource.kind === 'device') return reaches(resource.id);
      return all || (resource.kind === 'group' && granted.groups.has(resource.id));
    };
    return {
      role,
      scopes: allowed,
      reach: all ? { kind: 'all' } : { kind: 'granted', devices, groups },
      mayWrite: (deviceId) => allowed.has('write') && reaches(deviceId),
      mayRead: (resource) => allowed.has('read') && isRead(resource),
    };
  }

  #identifySecret(secret: string): Authentication {
    if (this.#token !== null && timingSafeEqual(digest(secret), this.#token)) return accepted(ADMINISTRATOR, null);
    const id = apiKeyId(secret);
    if (id === undefined) return UNKNOWN;
    const { directory } = this.#options;
    if (!directory.isKnown) return NOT_KNOWN_YET;
    const key = directory.find(subjectOf({ kind: 'key', id }));
    if (key?.kind !== 'key' || !timingSafeEqual(digest(secret), Buffer.from(key.secretHash, 'base64'))) return UNKNOWN;
    if (key.expiresAt !== null && key.expiresAt <= Date.now()) return EXPIRED;
    return accepted(subjectOf(key), key.expiresAt);
  }

  async #identifySession(id: string): Promise<Authentication> {
    try {
      const session = await this.#options.browserSessions.find(id);
      if (session === null) return EXPIRED;
      if (session.subject !== ADMINISTRATOR && !this.#options.directory.isKnown) return NOT_KNOWN_YET;
      return this.stampOf(session.subject) === session.stamp ? accepted(session.subject, session.expiresAt) : UNKNOWN;
    } catch (error) {
      return { outcome: 'unavailable', message: errorMessage(error) };
    }
  }
}
