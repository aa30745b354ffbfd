/**
 * Browser sessions, in Redis until they end: by themselves, or by a logout, of which every process hears within a
 * second or two. The id is with the browser alone; Redis has its hash. While Redis is away the sessions that this
 * process has seen stand, and of others nothing can be said.
 */
import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { StoredSession } from '../../shared/contracts/accounts.ts';
import {
  ENDED_SESSIONS_KEY, ENDED_SESSIONS_LENGTH, parseSession, sessionKey,
} from '../../shared/contracts/accounts.ts';
import { CodecError } from '../../shared/errors.ts';
import type { Redis } from '../../shared/redis.ts';
import { digest } from './api-key.ts';

export interface NewSession {
  /** For the cookie. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export interface SessionWish {
  readonly subject: string;
  readonly stamp: string;
  /** It ends then at the latest, epoch milliseconds; null: when its time is over. */
  readonly until: number | null;
}

const ID_BYTES = 32;
const ID_FORM = /^[A-Za-z0-9_-]{43}$/;
const SEEN_LIMIT = 20_000;

function hashOf(id: string): string {
  return digest(id).toString('base64url');
}

export class BrowserSessions {
  readonly #redis: Redis;
  readonly #ttlMs: number;
  readonly #seen = new LRUCache<string, StoredSession>({ max: SEEN_LIMIT });

  constructor(redis: Redis, ttlMs: number) {
    this.#redis = redis;
    this.#ttlMs = ttlMs;
  }

  /** @throws those of Redis */
  async create({ subject, stamp, until }: SessionWish): Promise<NewSession> {
    const id = randomBytes(ID_BYTES).toString('base64url');
    const expiresAt = Math.min(Date.now() + this.#ttlMs, until ?? Infinity);
    const session: StoredSession = { subject, stamp, expiresAt };
    await this.#redis.set(sessionKey(hashOf(id)), JSON.stringify(session), 'PXAT', expiresAt);
    this.#seen.set(hashOf(id), session);
    return { id, expiresAt };
  }

  /** null: there is none, or not any more. @throws those of Redis, where it was not seen before */
  async find(id: string): Promise<StoredSession | null> {
    if (!ID_FORM.test(id)) return null;
    const idHash = hashOf(id);
    const found = await this.#read(idHash);
    if (found === null || found.expiresAt <= Date.now()) {
      this.#seen.delete(idHash);
      return null;
    }
    this.#seen.set(idHash, found);
    return found;
  }

  /** Ends it here and in every process. @throws those of Redis */
  async end(id: string): Promise<void> {
    if (!ID_FORM.test(id)) return;
    const idHash = hashOf(id);
    await this.#redis.del(sessionKey(idHash));
    await this.#redis.xadd(ENDED_SESSIONS_KEY, 'MAXLEN', '~', ENDED_SESSIONS_LENGTH, '*', 'session', idHash);
  }

  /** Whose sessions these were, as far as this process has seen them; they are asked for in Redis again. */
  forget(idHashes: readonly string[]): string[] {
    return idHashes.flatMap((idHash) => {
      const session = this.#seen.get(idHash);
      this.#seen.delete(idHash);
      return session === undefined ? [] : [session.subject];
    });
  }

  async #read(idHash: string): Promise<StoredSession | null> {
    let text: string | null;
    try {
      text = await this.#redis.get(sessionKey(idHash));
    } catch (error) {
      const seen = this.#seen.get(idHash);
      if (seen === undefined) throw error;
      return seen;
    }
    try {
      return text === null ? null : parseSession(text);
    } catch (error) {
      // Of another version: whoever has it signs in again.
      if (error instanceof CodecError) return null;
      throw error;
    }
  }
}
