/**
 * `purge`: deletes the selected letters for good. Safe beside a running system; what is written meanwhile stays.
 *
 * Errors: those of Redis end the run; what was deleted until then is, and the report says so.
 */
import { DEAD_LETTER_STREAM } from '../shared/contracts/dead-letter-stream.ts';
import type { Command } from './command-line.ts';
import type { StoredLetter } from './letters.ts';
import { pagesOf } from './letters.ts';
import type { RunContext } from './replay.ts';
import type { PurgeReport } from './report.ts';

type PurgeContext = Pick<RunContext, 'redis' | 'progress' | 'interrupted'>;

/** Counts in `report`, also what was done before an error. */
export async function purge(
  { selection, dryRun }: Command, { redis, progress, interrupted }: PurgeContext, report: PurgeReport,
): Promise<void> {
  for await (const { letters, read, missing } of pagesOf(redis, selection)) {
    report.read += read;
    report.missing.push(...missing);
    if (!dryRun && letters.length > 0) await redis.xdel(DEAD_LETTER_STREAM, ...letters.map(({ id }) => id));
    for (const letter of letters) count(letter, report);
    progress.show(report);
    if (interrupted.aborted) return;
  }
}

function count({ letter }: StoredLetter, report: PurgeReport): void {
  const reason = letter?.reason ?? 'unreadable';
  report.purged += 1;
  report.byReason[reason] = (report.byReason[reason] ?? 0) + 1;
}
