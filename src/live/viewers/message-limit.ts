/** How many messages a client may send: a budget that fills up by the second. Who goes on beyond it is ended. */
import { TokenBucket } from '../../shared/token-bucket.ts';

/** The budget that a client may save up, in seconds. */
const BURST_SECONDS = 5;
/** One refusal in so long is answered; the others are counted. */
const ANSWER_MS = 1_000;

export type Admission = 'admitted' | 'refused' | 'refused_silently' | 'hopeless';

export class MessageLimit {
  readonly #budget: TokenBucket;
  /** Refusals in a row beyond which nothing is to be hoped for. */
  readonly #mostRefused: number;
  #refused = 0;
  #answeredAt = Number.NEGATIVE_INFINITY;

  /** @param now monotonic, milliseconds */
  constructor(perSecond: number, now: number) {
    const burst = perSecond * BURST_SECONDS;
    this.#budget = new TokenBucket({ perMinute: perSecond * 60, burst }, now);
    this.#mostRefused = burst;
  }

  admit(now: number): Admission {
    if (this.#budget.take(now)) {
      this.#refused = 0;
      return 'admitted';
    }
    this.#refused += 1;
    if (this.#refused > this.#mostRefused) return 'hopeless';
    if (now - this.#answeredAt < ANSWER_MS) return 'refused_silently';
    this.#answeredAt = now;
    return 'refused';
  }
}
