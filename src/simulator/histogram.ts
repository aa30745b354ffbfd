/**
 * Durations counted in buckets whose width grows with the value: memory is bounded, and every quantile is right to
 * within 1 % from 1 µs to more than an hour.
 */

const SUB_BUCKETS = 128;
const OCTAVES = 33;

export class LatencyHistogram {
  readonly #counts = new Float64Array(SUB_BUCKETS * OCTAVES);
  #total = 0;
  #maxMs = 0;

  get count(): number {
    return this.#total;
  }

  /** The longest duration, exact; 0 when there is none. */
  get maxMs(): number {
    return this.#maxMs;
  }

  record(durationMs: number): void {
    const index = bucketOf(Math.max(0, durationMs) * 1_000);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
  }

  /** The duration in milliseconds that the share `quantile` (0…1) did not exceed; null when there is none. */
  quantileMs(quantile: number): number | null {
    if (this.#total === 0) return null;
    let left = Math.max(1, Math.ceil(quantile * this.#total));
    for (const [index, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return Math.min(middleOf(index) / 1_000, this.#maxMs);
    }
    return this.#maxMs;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#maxMs = 0;
  }
}

// Below SUB_BUCKETS µs a bucket is 1 µs wide; above, each octave has SUB_BUCKETS buckets.
function bucketOf(micros: number): number {
  const whole = Math.floor(micros);
  if (whole < SUB_BUCKETS) return whole;
  const octave = Math.min(OCTAVES - 2, Math.floor(Math.log2(whole / SUB_BUCKETS)));
  const within = Math.min(SUB_BUCKETS - 1, Math.floor(whole / 2 ** octave) - SUB_BUCKETS);
  return (octave + 1) * SUB_BUCKETS + within;
}

function middleOf(index: number): number {
  const octave = Math.floor(index / SUB_BUCKETS) - 1;
  if (octave < 0) return index + 0.5;
  return (SUB_BUCKETS + (index % SUB_BUCKETS) + 0.5) * 2 ** octave;
}
