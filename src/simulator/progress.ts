/** The live progress line: rewritten every second on a terminal, a line of its own every five seconds elsewhere. */
import { formatDuration } from '../shared/duration.ts';
import type { Sample } from './sampler.ts';

/** Where the line goes: standard error, so that the report alone is on standard output. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const LINES_EVERY = 5;
const DEFAULT_COLUMNS = 80;
const CLEAR_LINE = '\r\u001b[K';

export class Progress {
  readonly #output: ProgressOutput;
  readonly #devices: number;
  #samples = 0;

  constructor(output: ProgressOutput, devices: number) {
    this.#output = output;
    this.#devices = devices;
  }

  show(sample: Sample): void {
    this.#samples += 1;
    const line = progressLine(sample, this.#devices);
    if (this.#output.isTTY === true) this.#output.write(`${CLEAR_LINE}${this.#fitted(line)}`);
    else if (this.#samples % LINES_EVERY === 0) this.#output.write(`${line}\n`);
  }

  /** A line that wraps cannot be rewritten. */
  #fitted(line: string): string {
    const { columns = 0 } = this.#output;
    return line.slice(0, (columns > 0 ? columns : DEFAULT_COLUMNS) - 1);
  }

  /** Ends the live line. */
  end(): void {
    if (this.#output.isTTY === true && this.#samples > 0) this.#output.write('\n');
  }

  /** A line that stays. */
  note(text: string): void {
    this.#output.write(this.#output.isTTY === true ? `${CLEAR_LINE}${text}\n` : `${text}\n`);
  }
}

export function progressLine(sample: Sample, devices: number): string {
  const whole = (value: number): string => Math.round(value).toLocaleString('en');
  const milliseconds = (value: number | null): string => (value === null ? '-' : `${value.toFixed(1)} ms`);
  return [
    formatDuration(Math.round(sample.elapsedMs / 1_000) * 1_000).padStart(6),
    `${sample.connected}/${devices} connected`,
    `${whole(sample.sentPerSecond)} sent/s`,
    `${whole(sample.acknowledgedPerSecond)} acknowledged/s`,
    `p50 ${milliseconds(sample.p50Ms)}, p99 ${milliseconds(sample.p99Ms)}`,
    `${whole(sample.unacknowledged)} waiting`,
    `${whole(sample.resent)} resent`,
    `${whole(sample.errors)} errors`,
    ...(sample.lag === null ? [] : [`lag ${whole(sample.lag)}`]),
  ].join(' | ');
}
