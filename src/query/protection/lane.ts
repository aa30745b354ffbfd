/**
 * A lane to the database: so many questions at once, so many that wait, for so long. Who comes to a full queue, or
 * waits too long, is turned away with a `Problem` that says when to come again. First come, first served.
 *
 * Guarantees: whoever was let in holds a place until it gives it back; one that goes while it waits leaves no trace.
 */
import { Problem } from '../../http/problem.ts';

export interface LaneOptions {
  /** Questions at once. */
  readonly size: number;
  /** Questions that may wait. */
  readonly queueLimit: number;
  /** Longest time that one waits. */
  readonly maxWaitMs: number;
}

export type TurnedAway = 'full' | 'overdue';

const RETRY_AFTER_SECONDS = 1;

function overloaded(detail: string): Problem {
  return new Problem('overloaded', detail, { retryAfterSeconds: RETRY_AFTER_SECONDS });
}

export class Lane {
  readonly #options: LaneOptions;
  readonly #onTurnedAway: (reason: TurnedAway) => void;
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(options: LaneOptions, onTurnedAway: (reason: TurnedAway) => void) {
    this.#options = options;
    this.#onTurnedAway = onTurnedAway;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Runs `work` when there is a place for it.
   * @throws Problem `overloaded`; the reason of `signal` when that aborts while it waits; what `work` throws
   */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#running >= this.#options.size) await this.#turn(signal);
    else this.#running += 1;
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** The place goes to the next in the queue without being free in between. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { queueLimit, maxWaitMs } = this.#options;
    if (this.#waiting.size >= queueLimit) {
      this.#onTurnedAway('full');
      throw overloaded(`${queueLimit} questions of this kind wait for the database already`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const enter = (): void => { resolve(undefined); };
    const giveUp = (reason: Error): void => {
      if (this.#waiting.delete(enter)) reject(reason);
    };
    const onAbort = (): void => { giveUp(signal.reason as Error); };
    const timer = setTimeout(() => {
      this.#onTurnedAway('overdue');
      giveUp(overloaded(`the database had no time for this question within ${maxWaitMs} ms`));
    }, maxWaitMs);
    this.#waiting.add(enter);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }
}
