/**
 * Answers in Redis. Redis is a help here, never a need: whatever is wrong with it, `get` finds nothing and `set` keeps
 * nothing, within a few milliseconds. Neither ever throws; what went wrong is counted.
 */
import type { CircuitBreakerPolicy } from 'cockatiel';
import { BrokenCircuitError, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { inTime } from '../../shared/deadline.ts';
import type { Redis } from '../../shared/redis.ts';
import type { Answer } from './answer.ts';
import { decodeAnswer, encodeAnswer } from './answer.ts';
import { StoredBytes } from './stored-bytes.ts';

/** Why an answer is not kept. */
export type SkipReason = 'too_large' | 'no_room' | 'away';

export interface AnswerStoreEvents {
  cacheSkipped(reason: SkipReason): void;
  /** Redis failed or was too slow. */
  cacheFailed(operation: 'get' | 'set'): void;
  cacheHolds(bytes: number): void;
}

export interface AnswerStoreSettings {
  readonly QUERY_CACHE_MAX_BYTES: number;
  readonly QUERY_CACHE_MAX_ANSWER_BYTES: number;
}

/** Longest time that a question waits for Redis: a good one answers within one. */
const TIMEOUT_MS = 50;
const FAILURES_TO_OPEN = 3;
/** How long a Redis that failed is left alone. */
const OPEN_MS = 2_000;

function overdue(): Error {
  return new Error(`Redis did not answer within ${TIMEOUT_MS} ms`);
}

export class AnswerStore {
  readonly #redis: Redis;
  readonly #settings: AnswerStoreSettings;
  readonly #events: AnswerStoreEvents;
  readonly #stored: StoredBytes;
  readonly #breaker: CircuitBreakerPolicy;

  constructor(redis: Redis, settings: AnswerStoreSettings, events: AnswerStoreEvents) {
    this.#redis = redis;
    this.#settings = settings;
    this.#events = events;
    this.#stored = new StoredBytes(settings.QUERY_CACHE_MAX_BYTES);
    this.#breaker = circuitBreaker(handleAll, {
      halfOpenAfter: OPEN_MS, breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
    });
  }

  /** 'away': Redis could not be asked. */
  async get(key: string): Promise<Answer | 'none' | 'away'> {
    const bytes = await this.#attempt('get', () => this.#redis.getBuffer(key));
    if (bytes === 'away') return 'away';
    return (bytes === null ? null : decodeAnswer(bytes)) ?? 'none';
  }

  async set(key: string, answer: Answer, ttlMs: number): Promise<void> {
    const bytes = encodeAnswer(answer);
    if (bytes.length > this.#settings.QUERY_CACHE_MAX_ANSWER_BYTES) {
      this.#events.cacheSkipped('too_large');
      return;
    }
    if (!this.#stored.admit(key, bytes.length, ttlMs, Date.now())) {
      this.#events.cacheSkipped('no_room');
      return;
    }
    const result = await this.#attempt('set', () => this.#redis.set(key, bytes, 'PX', ttlMs));
    if (result === 'away') this.#events.cacheSkipped('away');
    this.#events.cacheHolds(this.#stored.bytes);
  }

  async #attempt<T>(operation: 'get' | 'set', command: () => Promise<T>): Promise<T | 'away'> {
    if (this.#redis.status !== 'ready') return 'away';
    try {
      return await this.#breaker.execute(() => inTime(command(), TIMEOUT_MS, overdue));
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) this.#events.cacheFailed(operation);
      return 'away';
    }
  }
}
