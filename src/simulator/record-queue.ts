/**
 * The records that a tracker holds, by key: those waiting, those in the frame on its way, and (for the verification)
 * those acknowledged. A record leaves only when the server has acknowledged it; a broken connection changes nothing.
 *
 * A key is time and event id in one number, so that millions of records fit into memory; the record itself follows
 * from the key (see `vehicle.ts`).
 */
import type { Random } from './random.ts';

/** Event ids of the simulator are below this, and a time in milliseconds times this is below 2^53. */
const EVENT_IDS = 256;

export function recordKey(ts: number, eventId: number): number {
  return ts * EVENT_IDS + eventId;
}

export function keyTime(key: number): number {
  return Math.floor(key / EVENT_IDS);
}

export function keyEventId(key: number): number {
  return key % EVENT_IDS;
}

/** Numbers one after the other, 8 bytes each. */
export class NumberLog {
  #values = new Float64Array(16);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(this.#length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  /** A sorted copy. */
  sorted(): Float64Array {
    return this.#values.slice(0, this.#length).sort();
  }
}

const COMPACT_AFTER = 1_024;

export class RecordQueue {
  readonly #newestFirst: boolean;
  readonly #acknowledged: NumberLog | null;
  #waiting: number[] = [];
  #taken = 0;
  #frame: number[] = [];
  #lastAcknowledged: readonly number[] = [];

  /**
   * @param newestFirst frames are filled from the newest record instead of the oldest
   * @param keepAcknowledged remember the keys of all acknowledged records
   */
  constructor(newestFirst: boolean, keepAcknowledged: boolean) {
    this.#newestFirst = newestFirst;
    this.#acknowledged = keepAcknowledged ? new NumberLog() : null;
  }

  push(key: number): void {
    this.#waiting.push(key);
  }

  /** Puts the waiting records into a random order. */
  shuffle(random: Random): void {
    random.shuffle(this.#waiting);
  }

  get waiting(): number {
    return this.#waiting.length - this.#taken;
  }

  /** Records that the server has not acknowledged. */
  get unacknowledged(): number {
    return this.waiting + this.#frame.length;
  }

  /** The records of the frame on its way: the next frame, or the same one again. */
  get frame(): readonly number[] {
    return this.#frame;
  }

  /** The records of the frame that was acknowledged last. */
  get lastAcknowledged(): readonly number[] {
    return this.#lastAcknowledged;
  }

  /** All acknowledged keys, sorted; empty unless they are kept. */
  acknowledgedKeys(): Float64Array {
    return this.#acknowledged?.sorted() ?? new Float64Array(0);
  }

  /** Puts up to `count` waiting records into an empty frame. */
  fill(count: number): void {
    if (this.#frame.length > 0) return;
    if (this.#newestFirst) {
      for (let left = Math.min(count, this.waiting); left > 0; left -= 1) this.#frame.push(this.#waiting.pop() ?? 0);
      return;
    }
    this.#frame = this.#waiting.slice(this.#taken, this.#taken + count);
    this.#taken += this.#frame.length;
    if (this.#taken >= COMPACT_AFTER && this.#taken * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#taken);
      this.#taken = 0;
    }
  }

  /** The server has accepted the first `count` records of the frame; the others stay in it. */
  acknowledge(count: number): void {
    this.#lastAcknowledged = this.#frame.slice(0, count);
    this.#frame = this.#frame.slice(count);
    if (this.#acknowledged === null) return;
    for (const key of this.#lastAcknowledged) this.#acknowledged.push(key);
  }
}
