/**
 * How many requests a caller may make in a minute: counted in Redis, so that all processes count together, by the
 * clock of Redis. One script, one round trip.
 *
 * Errors: a Redis that is away, full or slow is answered by a count of this process alone, with the same limit. Such a
 * request is refused later anyhow, when its records cannot be appended; the limit then only keeps it cheap.
 */
import { LRUCache } from 'lru-cache';
import { inTime } from '../../shared/deadline.ts';
import type { Redis } from '../../shared/redis.ts';
import type { Admission, Window } from './sliding-window.ts';
import { admit } from './sliding-window.ts';

const WINDOW_MS = 60_000;
/** Longer than Redis ever needs, and short enough to be no burden while it is frozen. */
const ANSWER_TIMEOUT_MS = 250;
/** Callers counted in this process; the least recently seen is forgotten. */
const LOCAL_CALLERS = 10_000;

/** `admit` of sliding-window.ts. KEYS: the caller's hash. ARGV: limit, window. */
const ADMIT = `
  local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local slot = math.floor(now / window)
  local kept = redis.call('HMGET', KEYS[1], 'slot', 'current', 'previous')
  local before, current, previous = tonumber(kept[1] or -2), tonumber(kept[2] or 0), tonumber(kept[3] or 0)
  if before ~= slot then
    previous = before + 1 == slot and current or 0
    current = 0
  end
  local rest = window - (now - slot * window)
  local used = current + previous * rest / window
  if used + 1 > limit then
    if current + 1 <= limit then return {0, 0, math.ceil(rest - (limit - 1 - current) / previous * window)} end
    return {0, 0, math.ceil(rest + window * (1 - (limit - 1) / current))}
  end
  redis.call('HSET', KEYS[1], 'slot', slot, 'current', current + 1, 'previous', previous)
  redis.call('PEXPIRE', KEYS[1], 2 * window)
  return {1, math.floor(limit - used - 1), rest}`;

interface RateLimitOptions {
  readonly redis: Redis;
  /** 0: no limit. */
  readonly requestsPerMinute: number;
  /** Called when this process has counted by itself. */
  readonly onFallback: (error: unknown) => void;
}

export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #local = new LRUCache<string, Window>({ max: LOCAL_CALLERS });

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** null: there is no limit. */
  async admit(callerId: string): Promise<Admission | null> {
    const { requestsPerMinute: limit, onFallback } = this.#options;
    if (limit === 0) return null;
    try {
      return await this.#ask(callerId, limit);
    } catch (error) {
      onFallback(error);
      return admit(this.#windowOf(callerId), limit, WINDOW_MS, Date.now());
    }
  }

  /** What an answer says of the limit: draft-ietf-httpapi-ratelimit-headers-06. */
  headers({ remaining, resetMs }: Admission): Record<string, string> {
    const { requestsPerMinute: limit } = this.#options;
    return {
      'ratelimit-limit': String(limit),
      'ratelimit-remaining': String(remaining),
      'ratelimit-reset': String(Math.ceil(resetMs / 1_000)),
      'ratelimit-policy': `${limit};w=${WINDOW_MS / 1_000}`,
    };
  }

  async #ask(callerId: string, limit: number): Promise<Admission> {
    const { redis } = this.#options;
    const asked = redis.eval(ADMIT, 1, `http:rate:{${callerId}}`, limit, WINDOW_MS) as Promise<[number, number, number]>;
    const overdue = (): Error => new Error(`no answer in ${ANSWER_TIMEOUT_MS} ms`);
    const [admitted, remaining, resetMs] = await inTime(asked, ANSWER_TIMEOUT_MS, overdue);
    return { admitted: admitted === 1, remaining, resetMs };
  }

  #windowOf(callerId: string): Window {
    const known = this.#local.get(callerId) ?? { slot: -2, current: 0, previous: 0 };
    this.#local.set(callerId, known);
    return known;
  }
}
