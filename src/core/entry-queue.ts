/**
 * The bounded queue between the readers of the stream and the writers to the database: reading goes on while a batch is
 * written, and pauses when the queue is full. Records are what is counted, since they are what costs; a dead letter
 * counts as one, and so does an entry that holds nothing, so that no kind of entry can fill the memory.
 */
import type { ProcessorEntry } from './entry.ts';

function sizeOf({ records, deadLetters }: ProcessorEntry): number {
  return Math.max(1, records.length + deadLetters.length);
}

export class EntryQueue {
  readonly #maxRecords: number;
  readonly #onSize: (records: number) => void;
  #entries: ProcessorEntry[] = [];
  #records = 0;
  /** Takes nothing more in. */
  #finished = false;
  #changed = Promise.withResolvers<undefined>();

  constructor(maxRecords: number, onSize: (records: number) => void) {
    this.#maxRecords = maxRecords;
    this.#onSize = onSize;
  }

  get records(): number {
    return this.#records;
  }

  get isFinished(): boolean {
    return this.#finished;
  }

  /** Resolves with the next change of the queue, or when this time has passed (Infinity: never). */
  async changed(withinMs: number): Promise<void> {
    const timer = withinMs === Infinity ? undefined : setTimeout(() => { this.wake(); }, withinMs);
    await this.#changed.promise;
    clearTimeout(timer);
  }

  /** Everybody who waits looks again. */
  wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<undefined>();
    resolve(undefined);
  }

  /** Adds entries, then waits until there is room for more. Once the queue is finished they are dropped at once. */
  async push(entries: readonly ProcessorEntry[]): Promise<void> {
    if (this.#finished) return;
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#records += sizeOf(entry);
    }
    this.#notify();
    while (this.#records >= this.#maxRecords && !this.#finished) await this.#changed.promise;
  }

  /** The next entries in order, at most `maxRecords` records and at least one entry; null: there will be no more. */
  async take(maxRecords: number): Promise<ProcessorEntry[] | null> {
    while (this.#entries.length === 0 && !this.#finished) await this.#changed.promise;
    if (this.#entries.length === 0) return null;
    const taken = this.#entries.splice(0, this.#batchLength(maxRecords));
    for (const entry of taken) this.#records -= sizeOf(entry);
    this.#notify();
    return taken;
  }

  /** No more entries are taken in; those that are there can still be taken out. */
  finish(): void {
    this.#finished = true;
    this.#notify();
  }

  /** Empties the queue. What was in it stays pending in Redis and is read again. */
  close(): void {
    this.#finished = true;
    this.#entries = [];
    this.#records = 0;
    this.#notify();
  }

  #batchLength(maxRecords: number): number {
    let records = 0;
    let length = 0;
    for (const entry of this.#entries) {
      records += sizeOf(entry);
      if (length > 0 && (records > maxRecords || entry.alone)) break;
      length += 1;
      if (entry.alone) break;
    }
    return length;
  }

  #notify(): void {
    this.#onSize(this.#records);
    this.wake();
  }
}
