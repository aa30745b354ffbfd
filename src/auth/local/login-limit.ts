/**
 * Five failed logins a minute from one address lock it out for the rest of that minute. Counted in Redis, for all
 * processes together; while Redis is away each counts for itself. An attempt counts as failed until it has succeeded,
 * so that many at once are no way around.
 */
import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { Redis } from '../../shared/redis.ts';

const FAILURES = 5;
const WINDOW_MS = 60_000;
const ADDRESSES_LIMIT = 10_000;

/** Counts an attempt; answers with the count and the milliseconds until it is forgotten. */
const COUNT = `
  local count = redis.call('incr', KEYS[1])
  if count == 1 or redis.call('pttl', KEYS[1]) < 0 then redis.call('pexpire', KEYS[1], ARGV[1]) end
  return { count, redis.call('pttl', KEYS[1]) }`;

/** Takes an attempt back, unless its minute is over. */
const TAKE_BACK = `
  if redis.call('exists', KEYS[1]) == 1 and redis.call('decr', KEYS[1]) <= 0 then redis.call('del', KEYS[1]) end
  return 0`;

interface Attempts {
  count: number;
  /** Epoch milliseconds. */
  readonly until: number;
}

/** Whoever has an IPv6 address has 2^64 of them. */
export function addressBlock(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const behind = (tail ?? '').split(':').filter((group) => group !== '');
  const missing = tail === undefined ? 0 : 8 - groups.length - behind.length;
  const all = [...groups, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...behind];
  return `${all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

export class LoginLimit {
  readonly #redis: Redis;
  readonly #own = new LRUCache<string, Attempts>({ max: ADDRESSES_LIMIT });

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Counts an attempt. @returns 0: go on; otherwise whole seconds until the address may try again */
  async take(address: string): Promise<number> {
    const block = addressBlock(address);
    const { count, leftMs } = await this.#count(block);
    return count <= FAILURES ? 0 : Math.max(1, Math.ceil(leftMs / 1_000));
  }

  /** The attempt was no failure. */
  async succeeded(address: string): Promise<void> {
    const block = addressBlock(address);
    const own = this.#own.get(block);
    if (own !== undefined) own.count -= 1;
    try {
      await this.#redis.eval(TAKE_BACK, 1, keyOf(block));
    } catch (error) {
      // It counts as a failure for a minute, which harms little.
      if (!(error instanceof Error)) throw error;
    }
  }

  async #count(block: string): Promise<{ count: number; leftMs: number }> {
    const own = this.#countOwn(block);
    try {
      const [count, leftMs] = (await this.#redis.eval(COUNT, 1, keyOf(block), WINDOW_MS)) as [number, number];
      return { count, leftMs };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return own;
    }
  }

  #countOwn(block: string): { count: number; leftMs: number } {
    const now = Date.now();
    let own = this.#own.get(block);
    if (own === undefined || own.until <= now) {
      own = { count: 0, until: now + WINDOW_MS };
      this.#own.set(block, own);
    }
    own.count += 1;
    return { count: own.count, leftMs: own.until - now };
  }
}

function keyOf(block: string): string {
  return `login-failures:${block}`;
}
