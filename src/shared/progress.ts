/**
 * Whether the work at hand gets done: what readiness needs beside the probes of servers, for a server that answers may
 * refuse every write all the same, or keep it waiting.
 */
import { errorMessage } from './errors.ts';

/** Longer than any pause between attempts that is not worth telling. */
const STALLED_AFTER_MS = 5_000;

export class Progress {
  readonly #now: () => number;
  #atHand = 0;
  #movedAt = 0;
  #error: unknown = null;

  /** @param now milliseconds of a clock that never jumps */
  constructor(now: () => number = performance.now.bind(performance)) {
    this.#now = now;
  }

  /** A piece of work is at hand. */
  begin(): void {
    if (this.#atHand === 0) this.#movedAt = this.#now();
    this.#atHand += 1;
  }

  /** A part of the work is done. */
  step(): void {
    this.#movedAt = this.#now();
    this.#error = null;
  }

  /** An attempt has failed; the work is still at hand. */
  failed(error: unknown): void {
    this.#error = error;
  }

  /** A piece of work is done, or given up. */
  end(): void {
    this.#atHand -= 1;
    this.step();
  }

  /** What stands in the way; null while work gets done, or there is none. */
  get impediment(): string | null {
    const stalledMs = this.#now() - this.#movedAt;
    if (this.#atHand === 0 || stalledMs < STALLED_AFTER_MS) return null;
    const reason = this.#error === null ? 'no answer yet' : errorMessage(this.#error);
    return `stalled for ${Math.round(stalledMs / 1_000)} s: ${reason}`;
  }
}
