/**
 * A line on standard error that says how far a run is: rewritten on a terminal, a line of its own each time elsewhere.
 * Standard output is left to the result.
 */

export interface StatusOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const DEFAULT_COLUMNS = 80;
const CLEAR_LINE = '\r\u001b[K';

export class StatusLine {
  readonly #output: StatusOutput;
  #isOpen = false;

  constructor(output: StatusOutput) {
    this.#output = output;
  }

  /** The line is rewritten, so it may be shown often. */
  get isLive(): boolean {
    return this.#output.isTTY === true;
  }

  show(text: string): void {
    this.#output.write(this.isLive ? `${CLEAR_LINE}${this.#fitted(text)}` : `${text}\n`);
    this.#isOpen = true;
  }

  /** A line that wraps cannot be rewritten. */
  #fitted(text: string): string {
    const { columns = 0 } = this.#output;
    return text.slice(0, (columns > 0 ? columns : DEFAULT_COLUMNS) - 1);
  }

  /** Ends the live line. */
  end(): void {
    if (this.isLive && this.#isOpen) this.#output.write('\n');
    this.#isOpen = false;
  }

  /** A line that stays. */
  note(text: string): void {
    this.#output.write(this.isLive ? `${CLEAR_LINE}${text}\n` : `${text}\n`);
  }
}

/** Five times a second is as often as somebody reads. */
const LIVE_INTERVAL_MS = 200;

interface Pace {
  /** Milliseconds. */
  readonly clock: () => number;
  /** From one line to the next where it is no terminal. */
  readonly lineIntervalMs: number;
}

/** A status line of a run that has news all the time: shown at its pace, and never for a run that is over at once. */
export class PacedStatusLine {
  readonly #line: StatusLine;
  readonly #pace: Pace;
  /** When it was shown last, or the run began. */
  #shownAt: number;

  constructor(output: StatusOutput, pace: Pace) {
    this.#line = new StatusLine(output);
    this.#pace = pace;
    this.#shownAt = pace.clock();
  }

  /** @param text made only where it is time. @returns whether it was */
  show(text: (now: number) => string): boolean {
    const { clock, lineIntervalMs } = this.#pace;
    const now = clock();
    if (now - this.#shownAt < (this.#line.isLive ? LIVE_INTERVAL_MS : lineIntervalMs)) return false;
    this.#shownAt = now;
    this.#line.show(text(now));
    return true;
  }

  /** A line that stays. */
  note(text: string): void {
    this.#line.note(text);
  }

  /** Ends the live line. */
  end(): void {
    this.#line.end();
  }
}
