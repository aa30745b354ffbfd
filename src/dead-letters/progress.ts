/** The progress line of a run: often on a terminal, every five seconds elsewhere, and never for a short run. */
import type { StatusOutput } from '../shared/status-line.ts';
import { PacedStatusLine } from '../shared/status-line.ts';
import type { PurgeReport, ReplayReport } from './report.ts';
import { count, total } from './report.ts';

const LINE_INTERVAL_MS = 5_000;

export class Progress {
  readonly #line: PacedStatusLine;

  /** @param clock milliseconds */
  constructor(output: StatusOutput, clock: () => number) {
    this.#line = new PacedStatusLine(output, { clock, lineIntervalMs: LINE_INTERVAL_MS });
  }

  show(report: ReplayReport | PurgeReport): void {
    this.#line.show(() => progressLine(report));
  }

  end(): void {
    this.#line.end();
  }
}

function progressLine(report: ReplayReport | PurgeReport): string {
  const read = `${count(report.read, 'letter')} read`;
  if ('purged' in report) return `${read} | ${count(report.purged, 'letter')} purged`;
  const { replayed, records, left } = report;
  return `${read} | ${count(replayed, 'letter')} replayed, ${count(records, 'record')} | ${count(total(left), 'letter')} left`;
}
