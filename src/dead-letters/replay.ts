/**
 * `replay`: every selected letter is decoded again, and what can be kept now takes its place. Safe beside a running
 * system and beside itself: see `hand-over.ts`. Letters that are written meanwhile, also by this run, are for the next.
 *
 * Errors: those of Redis end the run; what was replayed until then is, and the report says so.
 */
import type { Settings } from '../config/settings.ts';
import { groupsOf } from '../shared/contracts/stream-info.ts';
import { PROCESSOR_GROUP, telemetryStreams } from '../shared/contracts/telemetry-stream.ts';
import type { Redis } from '../shared/redis.ts';
import type { Command } from './command-line.ts';
import { handOver } from './hand-over.ts';
import type { StoredLetter } from './letters.ts';
import { pagesOf } from './letters.ts';
import type { Progress } from './progress.ts';
import { replayLetter } from './replay-letter.ts';
import type { Replay } from './replay-letter.ts';
import type { ReplayReport } from './report.ts';

export interface RunContext {
  readonly redis: Redis;
  readonly settings: Pick<Settings, 'STREAM_PARTITIONS' | 'MAX_PAST_MS' | 'MAX_FUTURE_MS'>;
  readonly progress: Progress;
  /** Ends the run after the page in hand. */
  readonly interrupted: AbortSignal;
}

/** The records would go to a stream that nobody reads. */
export class PartitionsError extends Error {
  override readonly name = 'PartitionsError';
}

async function checkPartitions(redis: Redis, partitions: number): Promise<void> {
  for (const stream of telemetryStreams(partitions)) {
    const groups = await groupsOf(redis, stream);
    if (groups.some(({ name }) => name === PROCESSOR_GROUP)) continue;
    throw new PartitionsError(
      `STREAM_PARTITIONS: expected the number that the system has, got ${partitions}, but core has never read ${stream} of this Redis`,
    );
  }
}

/** Counts in `report`, also what was done before an error. @throws PartitionsError before anything is done */
export async function replay(
  { selection, dryRun }: Command, { redis, settings, progress, interrupted }: RunContext, report: ReplayReport,
): Promise<void> {
  const { STREAM_PARTITIONS: partitions, MAX_PAST_MS: maxPastMs, MAX_FUTURE_MS: maxFutureMs } = settings;
  await checkPartitions(redis, partitions);
  for await (const page of pagesOf(redis, selection)) {
    report.read += page.read;
    report.missing.push(...page.missing);
    // All of a page are under way at once. Each is counted when Redis has answered, so a failure waits for the others.
    const settled = await Promise.allSettled(page.letters.map((stored) => {
      const result = replayStored(stored, { partitions, maxPastMs, maxFutureMs, now: Date.now() });
      return settle(redis, stored.id, result, dryRun, report);
    }));
    const failure = settled.find((outcome) => outcome.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    progress.show(report);
    if (interrupted.aborted) return;
  }
}

function replayStored({ letter }: StoredLetter, context: Parameters<typeof replayLetter>[1]): Replay {
  return letter === null ? { kind: 'left', reason: 'unreadable' } : replayLetter(letter, context);
}

async function settle(redis: Redis, id: string, result: Replay, dryRun: boolean, report: ReplayReport): Promise<void> {
  if (result.kind === 'left') {
    report.left[result.reason] = (report.left[result.reason] ?? 0) + 1;
    return;
  }
  if (!dryRun && !(await handOver(redis, id, result.appends))) {
    report.gone += 1;
    return;
  }
  report.replayed += 1;
  report.records += result.records;
  report.remaining += result.letters;
}
