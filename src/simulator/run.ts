/**
 * A run of the fleet from its first connection to the last acknowledgement: makes records for the duration, then only
 * sends what is left. It ends early where no server ever accepts a tracker, or when it is interrupted.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from './fleet.ts';
import type { Options } from './options.ts';
import type { Statistics } from './statistics.ts';

/** Longest wait for acknowledgements after an interruption. */
const SHORT_DRAIN_MS = 5_000;
const POLL_INTERVAL_MS = 50;

export interface RunTimes {
  /** From the start to the last acknowledgement, milliseconds. */
  readonly elapsedMs: number;
  /** Of that, how long records were made. */
  readonly recordingMs: number;
  /** No tracker was ever accepted. */
  readonly neverAccepted: boolean;
}

type RunOptions = Pick<Options, 'durationMs' | 'drainMs' | 'connectTimeoutMs'>;

/** Runs until the duration is over or `interrupted` is aborted; connections are closed when it returns. */
export async function runFleet(
  fleet: Fleet, statistics: Statistics, options: RunOptions, interrupted: AbortSignal, clock: () => number,
): Promise<RunTimes> {
  const startedAt = clock();
  const endsAt = options.durationMs === 0 ? Infinity : startedAt + options.durationMs;
  fleet.start();
  const isOver = (): boolean => clock() >= endsAt || interrupted.aborted
    || (statistics.logins === 0 && clock() >= startedAt + options.connectTimeoutMs);
  while (!isOver()) await sleep(Math.max(1, Math.min(POLL_INTERVAL_MS, endsAt - clock())));
  const recordingMs = clock() - startedAt;
  fleet.drain();
  if (statistics.logins > 0) {
    const drainMs = interrupted.aborted ? Math.min(SHORT_DRAIN_MS, options.drainMs) : options.drainMs;
    const drainEndsAt = clock() + drainMs;
    while (statistics.unacknowledged > 0 && clock() < drainEndsAt) await sleep(POLL_INTERVAL_MS);
  }
  const elapsedMs = clock() - startedAt;
  fleet.stop();
  return { elapsedMs, recordingMs, neverAccepted: statistics.logins === 0 };
}
