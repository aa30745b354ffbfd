/** When to say that something fails, and that it works again: not for each of many failures between successes. */

/** So long without a failure it works again. */
const QUIET_MS = 10_000;

export class Outage {
  #lastFailureAt: number | null = null;

  /** @param now monotonic, milliseconds */
  observe(hasFailed: boolean, now: number): 'begins' | 'ends' | null {
    const since = this.#lastFailureAt;
    if (hasFailed) {
      this.#lastFailureAt = now;
      return since === null ? 'begins' : null;
    }
    if (since === null || now - since < QUIET_MS) return null;
    this.#lastFailureAt = null;
    return 'ends';
  }
}
