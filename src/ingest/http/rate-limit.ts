/**
 * How many requests a caller may make in a minute: counted in Redis, so that all processes count together, by the
 * clock of Redis. One script, one round trip; what a caller sends in one turn of the event loop is one question, since
 * sending a question was a quarter of the CPU of a small request.
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

/**
 * `admit` of sliding-window.ts, for several requests. KEYS: the caller's hash. ARGV: limit, window, requests. Answers
 * how many are admitted, how many more would be, when the window ends, and when one that is refused would be admitted.
 */
const ADMIT = `
  local limit, window, asked = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
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
  local admitted = math.min(asked, math.max(0, math.floor(limit - used)))
  current = current + admitted
  if admitted > 0 then
    redis.call('HSET', KEYS[1], 'slot', slot, 'current', current, 'previous', previous)
    redis.call('PEXPIRE', KEYS[1], 2 * window)
  end
  local wait = 0
  if admitted < asked then
    if current + 1 <= limit then wait = rest - (limit - 1 - current) / previous * window
    else wait = rest + window * (1 - (limit - 1) / current) end
  end
  return {admitted, math.floor(limit - used - admitted), rest, math.ceil(wait)}`;

interface RateLimitOptions {
  readonly redis: Redis;
  /** 0: no limit. */
  readonly requestsPerMinute: number;
  /** Called when this process has counted by itself. */
  readonly onFallback: (error: unknown) => void;
}

type Answered = ReturnType<typeof Promise.withResolvers<Admission>>;

export class RateLimit {
  readonly #options: RateLimitOptions;
  /** Requests of this turn of the event loop, by their callers. */
  #waiting = new Map<string, Answered[]>();
  readonly #local = new LRUCache<string, Window>({ max: LOCAL_CALLERS });

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** null: there is no limit. */
  admit(callerId: string): Promise<Admission | null> {
    if (this.#options.requestsPerMinute === 0) return Promise.resolve(null);
    const answered = Promise.withResolvers<Admission>();
    if (this.#waiting.size === 0) setImmediate(() => { this.#askAll(); });
    const others = this.#waiting.get(callerId);
    if (others === undefined) this.#waiting.set(callerId, [answered]);
    else others.push(answered);
    return answered.promise;
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

  #askAll(): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const [callerId, requests] of waiting) void this.#answer(callerId, requests);
  }

  async #answer(callerId: string, requests: readonly Answered[]): Promise<void> {
    const { requestsPerMinute: limit, onFallback } = this.#options;
    try {
      const [admitted, remaining, restMs, waitMs] = await this.#ask(callerId, limit, requests.length);
      for (const [at, { resolve }] of requests.entries()) {
        if (at < admitted) resolve({ admitted: true, remaining: remaining + admitted - 1 - at, resetMs: restMs });
        else resolve({ admitted: false, remaining: 0, resetMs: waitMs });
      }
    } catch (error) {
      for (const { resolve } of requests) {
        onFallback(error);
        resolve(admit(this.#windowOf(callerId), limit, WINDOW_MS, Date.now()));
      }
    }
  }

  async #ask(callerId: string, limit: number, requests: number): Promise<[number, number, number, number]> {
    const { redis } = this.#options;
    const asked = redis.eval(ADMIT, 1, `http:rate:{${callerId}}`, limit, WINDOW_MS, requests);
    const overdue = (): Error => new Error(`no answer in ${ANSWER_TIMEOUT_MS} ms`);
    return await inTime(asked as Promise<[number, number, number, number]>, ANSWER_TIMEOUT_MS, overdue);
  }

  #windowOf(callerId: string): Window {
    const known = this.#local.get(callerId) ?? { slot: -2, current: 0, previous: 0 };
    this.#local.set(callerId, known);
    return known;
  }
}
