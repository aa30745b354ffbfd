/** The progress of an import: a bar on a terminal, a line every ten seconds elsewhere. */
import { formatDuration } from '../shared/duration.ts';
import type { StatusOutput } from '../shared/status-line.ts';
import { PacedStatusLine } from '../shared/status-line.ts';
import type { Report } from './report.ts';
import { counted } from './report.ts';

const LINE_INTERVAL_MS = 10_000;
const BAR_WIDTH = 24;

export class ImportProgress {
  readonly #line: PacedStatusLine;
  readonly #startedAt: number;
  readonly #totalBytes: number;
  #readBytes = 0;
  #waitsFor: string | null = null;

  /**
   * @param totalBytes of all files
   * @param clock milliseconds
   */
  constructor(output: StatusOutput, totalBytes: number, clock: () => number) {
    this.#line = new PacedStatusLine(output, { clock, lineIntervalMs: LINE_INTERVAL_MS });
    this.#totalBytes = totalBytes;
    this.#startedAt = clock();
  }

  read(bytes: number): void {
    this.#readBytes += bytes;
  }

  /** Said at once, and once for each reason. */
  waiting(reason: string): void {
    if (reason === this.#waitsFor) return;
    this.#waitsFor = reason;
    this.#line.note(`waiting: ${reason}`);
  }

  show(report: Report): void {
    const isShown = this.#line.show((now) => progressLine(report, this.#share(), now - this.#startedAt));
    if (isShown) this.#waitsFor = null;
  }

  end(): void {
    this.#line.end();
  }

  #share(): number {
    return this.#totalBytes === 0 ? 1 : Math.min(1, this.#readBytes / this.#totalBytes);
  }
}

/** @param share of the bytes that are read, 0 to 1 */
export function progressLine({ accepted, rejected, resumedFrom }: Report, share: number, elapsedMs: number): string {
  const done = Math.round(share * BAR_WIDTH);
  const bar = `[${'#'.repeat(done)}${'.'.repeat(BAR_WIDTH - done)}] ${Math.floor(share * 100)} %`;
  const perSecond = Math.round(Math.max(0, accepted - resumedFrom) / Math.max(0.001, elapsedMs / 1_000));
  const left = share > 0.01 && share < 1 ? `, ${formatDuration(Math.round((elapsedMs / share) * (1 - share) / 1_000) * 1_000)} left` : '';
  return `${bar} ${counted(accepted, 'record')}, ${rejected.toLocaleString('en')} rejected, ${perSecond.toLocaleString('en')}/s${left}`;
}
