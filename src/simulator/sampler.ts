/** One sample a second of what a run does: rates since the sample before, and the state of the moment. */
import type { ServerMetrics } from './server-metrics.ts';
import type { Statistics } from './statistics.ts';

export interface Sample {
  readonly elapsedMs: number;
  readonly connected: number;
  readonly madePerSecond: number;
  readonly sentPerSecond: number;
  readonly acknowledgedPerSecond: number;
  readonly unacknowledged: number;
  /** Since the start. */
  readonly resent: number;
  readonly errors: number;
  /** Stream entries not yet in the database; null: unknown. */
  readonly lag: number | null;
  /** Acknowledgement latency since the sample before; null: no acknowledgement. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

interface Counts {
  readonly at: number;
  readonly made: number;
  readonly sent: number;
  readonly acknowledged: number;
}

const SAMPLE_INTERVAL_MS = 1_000;

export class Sampler {
  readonly #statistics: Statistics;
  readonly #metrics: ServerMetrics;
  readonly #clock: () => number;
  readonly #startedAt: number;
  #timer: NodeJS.Timeout | undefined;
  #before: Counts;

  constructor(statistics: Statistics, metrics: ServerMetrics, clock: () => number) {
    this.#statistics = statistics;
    this.#metrics = metrics;
    this.#clock = clock;
    this.#before = this.#count();
    this.#startedAt = this.#before.at;
  }

  start(onSample: (sample: Sample) => void): void {
    this.#timer = setInterval(() => { onSample(this.take()); }, SAMPLE_INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The sample of now; the next one begins here. */
  take(): Sample {
    const before = this.#before;
    const now = this.#count();
    this.#before = now;
    const seconds = Math.max(1, now.at - before.at) / 1_000;
    const perSecond = (later: number, earlier: number): number => (later - earlier) / seconds;
    const { recentLatency, connected, recordsResent, errorCount, unacknowledged } = this.#statistics;
    const sample: Sample = {
      elapsedMs: now.at - this.#startedAt,
      connected,
      madePerSecond: perSecond(now.made, before.made),
      sentPerSecond: perSecond(now.sent, before.sent),
      acknowledgedPerSecond: perSecond(now.acknowledged, before.acknowledged),
      unacknowledged,
      resent: recordsResent,
      errors: errorCount,
      lag: this.#metrics.lag,
      p50Ms: recentLatency.quantileMs(0.5),
      p99Ms: recentLatency.quantileMs(0.99),
    };
    recentLatency.clear();
    return sample;
  }

  #count(): Counts {
    const { recordsMade, recordsSent, recordsAcknowledged } = this.#statistics;
    return { at: this.#clock(), made: recordsMade, sent: recordsSent, acknowledged: recordsAcknowledged };
  }
}
