/**
 * The read-through cache of answers: out of Redis, or else worked out once for all who ask for the same at the time.
 *
 * Guarantees: no answer is given to a caller who sees other devices than the one for whom it was made (the key says
 * which); a Redis that is away or frozen costs a question a few milliseconds and nothing else. Errors: those of whoever
 * works the answer out; errors are not kept.
 */
import type { Answer } from './answer.ts';
import { answerOfValue } from './answer.ts';
import type { AnswerStore } from './answer-store.ts';
import { Flights } from './flights.ts';

/** Where an answer came from: Redis; the database; another caller's question; the database, since Redis is away. */
export type CacheResult = 'hit' | 'miss' | 'shared' | 'bypass';

export interface Found {
  readonly answer: Answer;
  readonly result: CacheResult;
}

export interface CachedQuestion {
  /** As `cacheKey` makes it. */
  readonly key: string;
  readonly ttlMs: number;
  /** @returns what becomes the JSON of the answer */
  readonly work: (signal: AbortSignal) => Promise<object>;
}

/** Records may still come in for such a range at any moment. */
const OPEN_TTL_MS = 10_000;
/** What comes in for it is late. */
const CLOSED_TTL_MS = 300_000;
/** From the time of a record to its row, in the ordinary way. */
const SETTLED_AFTER_MS = 60_000;

/** How long an answer about a range that ends at `to` may be kept. Times in epoch milliseconds. */
export function ttlOf(to: number, now: number): number {
  return to > now - SETTLED_AFTER_MS ? OPEN_TTL_MS : CLOSED_TTL_MS;
}

export class AnswerCache {
  readonly #store: AnswerStore;
  readonly #flights = new Flights<Found>();

  constructor(store: AnswerStore) {
    this.#store = store;
  }

  async get({ key, ttlMs, work }: CachedQuestion, signal: AbortSignal): Promise<Found> {
    const { result: found, isShared } = await this.#flights.join(key, signal, async (abandoned) => {
      const stored = await this.#store.get(key);
      if (typeof stored !== 'string') return { answer: stored, result: 'hit' };
      abandoned.throwIfAborted();
      const answer = answerOfValue(await work(abandoned));
      // Nobody waits for it to be kept.
      void this.#store.set(key, answer, ttlMs);
      return { answer, result: stored === 'away' ? 'bypass' : 'miss' };
    });
    return isShared && found.result !== 'hit' ? { ...found, result: 'shared' } : found;
  }
}
