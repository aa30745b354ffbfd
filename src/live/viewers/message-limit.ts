/** How many messages a client may send: a budget that fills up by the second. Who goes on beyond it is ended. */

/** The budget that a client may save up, in seconds. */
const BURST_SECONDS = 5;
/** One refusal in so long is answered; the others are counted. */
const ANSWER_MS = 1_000;

export type Admission = 'admitted' | 'refused' | 'refused_silently' | 'hopeless';

export class MessageLimit {
  readonly #perSecond: number;
  #budget: number;
  #filledAt: number;
  #refused = 0;
  #answeredAt = Number.NEGATIVE_INFINITY;

  /** @param now monotonic, milliseconds */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#budget = perSecond * BURST_SECONDS;
    this.#filledAt = now;
  }

  admit(now: number): Admission {
    const most = this.#perSecond * BURST_SECONDS;
    this.#budget = Math.min(most, this.#budget + ((now - this.#filledAt) / 1_000) * this.#perSecond);
    this.#filledAt = now;
    if (this.#budget >= 1) {
      this.#budget -= 1;
      this.#refused = 0;
      return 'admitted';
    }
    this.#refused += 1;
    if (this.#refused > most) return 'hopeless';
    if (now - this.#answeredAt < ANSWER_MS) return 'refused_silently';
    this.#answeredAt = now;
    return 'refused';
  }
}
