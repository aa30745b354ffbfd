/** A rate with a burst: tokens come at a steady pace up to a store that is full at first, and each use takes one. */

export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;

  /** @param now monotonic clock, milliseconds */
  constructor(limit: { readonly perMinute: number; readonly burst: number }, now: number) {
    this.#perMs = limit.perMinute / 60_000;
    this.#burst = limit.burst;
    this.#tokens = limit.burst;
    this.#filledAt = now;
  }

  /** Takes a token; false: there is none. `now` is of the clock that the constructor was given. */
  take(now: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#filledAt) * this.#perMs);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
