/** The live progress line: rewritten every second on a terminal, a line of its own every five seconds elsewhere. */
import { formatDuration } from '../shared/duration.ts';
import type { StatusOutput } from '../shared/status-line.ts';
import { StatusLine } from '../shared/status-line.ts';
import type { Sample } from './sampler.ts';

const LINES_EVERY = 5;

export class Progress {
  readonly #line: StatusLine;
  readonly #devices: number;
  #samples = 0;

  constructor(output: StatusOutput, devices: number) {
    this.#line = new StatusLine(output);
    this.#devices = devices;
  }

  show(sample: Sample): void {
    this.#samples += 1;
    if (this.#line.isLive || this.#samples % LINES_EVERY === 0) this.#line.show(progressLine(sample, this.#devices));
  }

  /** Ends the live line. */
  end(): void {
    this.#line.end();
  }

  /** A line that stays. */
  note(text: string): void {
    this.#line.note(text);
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
