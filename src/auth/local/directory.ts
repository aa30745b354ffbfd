/**
 * Keys and users as they were last published, in the memory of this process: read from Redis when the digest there has
 * changed, looked at every second. What was never read is nobody; while Redis is away, or has lost what it had, what
 * was known last stands. Changes are reported by the accounts that they concern.
 */
import type { PublishedAccount, PublishedUser } from '../../shared/contracts/accounts.ts';
import {
  ACCOUNTS_DIGEST_KEY, ACCOUNTS_KEY, ENDED_SESSIONS_KEY, GROUP_MEMBERS_KEY, parseAccount, parseMembers, subjectOf,
} from '../../shared/contracts/accounts.ts';
import type { Redis } from '../../shared/redis.ts';
import { waitForRedis } from '../../shared/redis.ts';
import { repeat } from '../../shared/retry.ts';

export interface DirectoryOptions {
  readonly redis: Redis;
  readonly onError: (what: string, error: unknown) => void;
  /** Subjects of accounts of which something has changed. */
  readonly onChange: (subjects: readonly string[]) => void;
  /** Sessions that were ended, by the hash of their ids. */
  readonly onEnded: (idHashes: readonly string[]) => void;
}

const REFRESH_MS = 1_000;

type Hash = Readonly<Record<string, string>>;

/** What is in one hash and not, or otherwise, in the other: the names of the fields. */
function differences(before: Hash, after: Hash): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name]);
}

export class AccountDirectory {
  readonly #options: DirectoryOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | null = null;
  #digest: string | null = null;
  #isKnown = false;
  #published: { readonly accounts: Hash; readonly members: Hash } = { accounts: {}, members: {} };
  #accounts: ReadonlyMap<string, PublishedAccount> = new Map();
  #usersByName: ReadonlyMap<string, PublishedUser> = new Map();
  #members: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  /** Of the stream of ended sessions. */
  #endedUntil = '0-0';

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** Keeps looking from now on. */
  start(): void {
    const { signal } = this.#stopping;
    const { onError } = this.#options;
    const looking = { what: 'reading keys and users', intervalMs: REFRESH_MS, signal, onError };
    this.#running ??= waitForRedis(this.#options.redis, signal).then(() => repeat(looking, () => this.refresh()));
  }

  /** Redis was asked, so that whoever is not found is nobody. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** @param subject `key:<id>` or `user:<id>` */
  find(subject: string): PublishedAccount | undefined {
    return this.#accounts.get(subject);
  }

  findUser(name: string): PublishedUser | undefined {
    return this.#usersByName.get(name.toLowerCase());
  }

  /** As it was when it was published; false for a group that nobody is granted. */
  isMember(groupId: string, deviceId: string): boolean {
    return this.#members.get(groupId)?.has(deviceId) === true;
  }

  /** Looks once. @throws those of Redis */
  async refresh(): Promise<void> {
    const { redis, onEnded } = this.#options;
    if ((await redis.get(ACCOUNTS_DIGEST_KEY)) !== this.#digest) await this.#read();
    this.#isKnown = true;
    const ended = await redis.xrange(ENDED_SESSIONS_KEY, `(${this.#endedUntil}`, '+');
    if (ended.length === 0) return;
    this.#endedUntil = ended.at(-1)?.[0] ?? this.#endedUntil;
    onEnded(ended.flatMap(([, fields]) => fields.slice(1, 2)));
  }

  async #read(): Promise<void> {
    const { redis, onChange } = this.#options;
    const transaction = redis.multi().get(ACCOUNTS_DIGEST_KEY).hgetall(ACCOUNTS_KEY).hgetall(GROUP_MEMBERS_KEY);
    const results = await transaction.exec();
    for (const [error] of results ?? []) if (error !== null) throw error;
    const values = (results ?? []).map(([, value]) => value) as [digest?: string, accounts?: Hash, members?: Hash];
    const [digest = null, accounts = {}, members = {}] = values;
    // Redis has lost what it had: core publishes it again.
    if (digest === null) return;
    const before = this.#published;
    this.#take(accounts, members);
    this.#digest = digest;
    const changed = new Set(differences(before.accounts, accounts));
    const groups = new Set(differences(before.members, members));
    for (const [subject, account] of this.#accounts) {
      if (account.groups.some((group) => groups.has(group))) changed.add(subject);
    }
    if (changed.size > 0) onChange([...changed]);
  }

  #take(accounts: Hash, members: Hash): void {
    const parsed = Object.values(accounts).flatMap((text) => this.#parsed(text, parseAccount));
    const users = parsed.filter((account) => account.kind === 'user');
    const groups = Object.entries(members);
    this.#members = new Map(groups.map(([id, text]) => [id, new Set(this.#parsed(text, parseMembers).flat())]));
    this.#accounts = new Map(parsed.map((account) => [subjectOf(account), account]));
    this.#usersByName = new Map(users.map((user) => [user.name.toLowerCase(), user]));
    this.#published = { accounts, members };
  }

  /** What cannot be read is nobody, and keeps no other from being known. */
  #parsed<T>(text: string, parse: (text: string) => T): T[] {
    try {
      return [parse(text)];
    } catch (error) {
      this.#options.onError('reading an account', error);
      return [];
    }
  }
}
