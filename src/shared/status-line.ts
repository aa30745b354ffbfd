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
