/** What a run has done: counted while it goes on, printed at its end, as JSON the same facts. */
import type { LeftReason } from './replay-letter.ts';

interface Counted {
  /** Letters looked at. */
  read: number;
  /** Ids that were asked for and are not there. */
  readonly missing: string[];
}

export interface ReplayReport extends Counted {
  /** Letters of which something was recovered; they are gone. */
  replayed: number;
  /** Records put on the stream; those that are stored already change no row. */
  records: number;
  /** Letters written in the place of replayed ones, for what still cannot be kept. */
  remaining: number;
  /** Letters that were replayed or purged by somebody else meanwhile. */
  gone: number;
  /** Letters that stay as they are, by why. */
  readonly left: Partial<Record<LeftReason, number>>;
}

export interface PurgeReport extends Counted {
  purged: number;
  readonly byReason: Partial<Record<LeftReason, number>>;
}

export function emptyReplayReport(): ReplayReport {
  return { read: 0, missing: [], replayed: 0, records: 0, remaining: 0, gone: 0, left: {} };
}

export function emptyPurgeReport(): PurgeReport {
  return { read: 0, missing: [], purged: 0, byReason: {} };
}

export function total(byReason: Readonly<Partial<Record<LeftReason, number>>>): number {
  return Object.values(byReason).reduce((sum, count) => sum + count, 0);
}

export function count(amount: number, one: string): string {
  return `${amount.toLocaleString('en')} ${one}${amount === 1 ? '' : 's'}`;
}

function reasons(byReason: Readonly<Partial<Record<LeftReason, number>>>): string {
  return Object.entries(byReason).map(([reason, amount]) => `${reason} ${amount.toLocaleString('en')}`).join(', ');
}

function missingLines({ missing }: Counted): string {
  return missing.map((id) => `no such letter: ${id}\n`).join('');
}

export function replayText(report: ReplayReport, dryRun: boolean): string {
  const { replayed, records, remaining, gone, left } = report;
  const lines = [
    `${count(replayed, 'letter')} ${dryRun ? 'would be replayed' : 'replayed'}: ${count(records, 'record')} to the stream`,
    ...(remaining === 0 ? [] : [`${count(remaining, 'letter')} in their place, for what still cannot be kept`]),
    ...(gone === 0 ? [] : [`${count(gone, 'letter')} gone meanwhile`]),
    ...(total(left) === 0 ? [] : [`${count(total(left), 'letter')} left: ${reasons(left)}`]),
  ];
  return `${lines.join('\n')}\n${missingLines(report)}`;
}

export function purgeText(report: PurgeReport, dryRun: boolean): string {
  const { purged, byReason } = report;
  const what = purged === 0 ? '' : `: ${reasons(byReason)}`;
  return `${count(purged, 'letter')} ${dryRun ? 'would be purged' : 'purged'}${what}\n${missingLines(report)}`;
}
