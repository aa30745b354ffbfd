/**
 * When the entries that wait become a transaction, and when more are read. A transaction costs the same however little
 * is in it, and so does a read; so while little comes in there is one transaction at a time, and what comes meanwhile
 * is the next one, as a group commit does it. What comes after a silence is written at once. Where much waits, all
 * writers write, and the stream is read ahead.
 */
import type { ProcessorEntry } from './entry.ts';
import type { EntryQueue } from './entry-queue.ts';

/** Between the beginnings of two transactions while little comes in: 100 a second cost a tenth of a CPU. */
const INTERVAL_MS = 10;
/** A transaction that takes longer than this is waiting for something: another one need not. */
const PATIENCE_MS = 50;
/** What has come into the stream meanwhile is decoded while the database works. */
const READ_AHEAD_MS = 20;

export class Batches {
  readonly #queue: EntryQueue;
  readonly #maxRecords: number;
  readonly #now: () => number;
  /** Transactions under way, and when the last one began. */
  #writing = 0;
  #beganAt = -INTERVAL_MS;

  /**
   * @param maxRecords most records of a batch
   * @param now milliseconds of a clock that never jumps
   */
  constructor(queue: EntryQueue, maxRecords: number, now: () => number = performance.now.bind(performance)) {
    this.#queue = queue;
    this.#maxRecords = maxRecords;
    this.#now = now;
  }

  /** The next entries, once they are worth a transaction; null: there will be no more. Ends with `done`. */
  async next(): Promise<ProcessorEntry[] | null> {
    for (;;) {
      const waitMs = this.#untilDueMs();
      if (waitMs <= 0) break;
      await this.#queue.changed(waitMs);
    }
    this.#writing += 1;
    this.#beganAt = this.#now();
    return this.#queue.take(this.#maxRecords);
  }

  /** A batch is written and acknowledged. */
  done(): void {
    this.#writing -= 1;
    this.#queue.wake();
  }

  /** Resolves when a read would be of use: a transaction could begin at once, or one is under way for some time. */
  async untilWanted(): Promise<void> {
    const deadline = this.#now() + READ_AHEAD_MS;
    for (;;) {
      const { isFinished } = this.#queue;
      const waitMs = Math.min(deadline - this.#now(), this.#writing === 0 ? this.#pauseMs() : READ_AHEAD_MS);
      if (waitMs <= 0 || isFinished) return;
      await this.#queue.changed(waitMs);
    }
  }

  #untilDueMs(): number {
    const { records, isFinished } = this.#queue;
    if (isFinished) return 0;
    if (records === 0) return Infinity;
    return records * 2 >= this.#maxRecords ? 0 : this.#pauseMs();
  }

  #pauseMs(): number {
    return this.#beganAt + (this.#writing === 0 ? INTERVAL_MS : PATIENCE_MS) - this.#now();
  }
}
