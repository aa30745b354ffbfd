/**
 * Seeded randomness: the same seed gives the same numbers on every machine. Nothing in the simulator uses
 * `Math.random`, so that a run that found something can be repeated.
 */

/** A 32-bit hash of two 32-bit numbers: derives independent seeds, and noise that needs no state. */
export function mix(first: number, second: number): number {
  let hash = Math.imul(first ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(second + 0x7f4a7c15, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A generator of 32 bits of state (mulberry32): plenty for one tracker's choices, and one addition a step. */
export class Random {
  #state: number;

  /** @param seed any 32-bit number; see `mix` for deriving several from one. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** The next number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor((high - low + 1) * this.next());
  }

  /**
   * One of `choices`.
   * @throws RangeError when there is none.
   */
  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.integer(0, choices.length - 1)];
    if (choice === undefined) throw new RangeError('nothing to pick from');
    return choice;
  }

  /** Puts `items` into a random order, in place (Fisher–Yates). */
  shuffle(items: number[]): void {
    for (let last = items.length - 1; last > 0; last -= 1) {
      const other = this.integer(0, last);
      const kept = items[last] ?? 0;
      items[last] = items[other] ?? 0;
      items[other] = kept;
    }
  }
}

/**
 * Noise in [0, 1] that drifts smoothly over time: a hash at every multiple of `periodMs`, blended in between. Needs no
 * state, so that the value of any instant can be computed again.
 */
export function drift(seed: number, timeMs: number, periodMs: number): number {
  const step = Math.floor(timeMs / periodMs);
  const along = timeMs / periodMs - step;
  const before = mix(seed, step) / 2 ** 32;
  const after = mix(seed, step + 1) / 2 ** 32;
  return before + (after - before) * along * along * (3 - 2 * along);
}
