/**
 * What happens in the processor, each as one function that logs and counts. WARN: something is wrong and nothing is
 * lost. ERROR: data is lost, or may be.
 */
import type { CoreMetrics } from '../observability/metrics/core.ts';
import type { Logger } from '../observability/logger.ts';
import { limited } from '../observability/warning-limit.ts';
import type { DeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import { errorMessage } from '../shared/errors.ts';
import { Obstacle } from '../shared/obstacle.ts';
import type { DeadLetterStats, DroppedLetters } from './dead-letter-upkeep.ts';
import { ENTRY_REASONS } from './entry.ts';
import type { RollupCause, RollupStats } from './rollups/causes.ts';
import { ROLLUP_CAUSES } from './rollups/causes.ts';

export type CoreEvents = ReturnType<typeof createCoreEvents>;

const MS = 1_000;

/** A counter that appears with its first event has no increase that an alert could see. */
function startAtZero(metrics: CoreMetrics): void {
  for (const result of ['ok', 'empty', 'error']) metrics.reads.inc({ result }, 0);
  for (const status of ['inserted', 'duplicate', 'failed']) metrics.writes.inc({ status }, 0);
  for (const cause of ROLLUP_CAUSES) metrics.rollupHours.inc({ cause }, 0);
  for (const reason of [...ENTRY_REASONS, 'database_refused']) metrics.deadLetters.inc({ reason }, 0);
}

function streamEvents(metrics: CoreMetrics, log: Logger) {
  const report = limited(log);
  return {
    read(entries: number, records: number): void {
      metrics.reads.inc({ result: entries === 0 ? 'empty' : 'ok' });
      metrics.records.inc(records);
    },
    readFailed(error: unknown): void {
      metrics.reads.inc({ result: 'error' });
      log.warn({ error: errorMessage(error) }, 'cannot read the stream; trying again');
    },
    groupCreated(stream: string): void {
      log.info({ stream }, 'consumer group created');
    },
    groupsLost(streams: readonly string[]): void {
      metrics.groupsRecreated.inc(streams.length);
      log.error({ streams }, 'consumer groups are gone and are created again: Redis has lost data that it had acknowledged, or somebody has deleted them');
    },
    claimed(stream: string, entries: number): void {
      metrics.claimed.inc(entries);
      log.warn({ stream, entries }, 'took over entries of a dead consumer');
    },
    consumersRemoved(stream: string, consumers: readonly string[]): void {
      log.info({ stream, consumers }, 'removed silent consumers, which had nothing pending');
    },
    acknowledged(entries: number): void {
      metrics.acks.inc(entries);
    },
    /** What is tried five times a second, for hours if it must be, does not fill the log with it. */
    upkeepFailed: (what: string, error: unknown): void => {
      report('warn', what, { error: errorMessage(error) }, `${what} failed; trying again`);
    },
    trimmed(entries: number): void {
      metrics.trimmed.inc(entries);
    },
    queueSize: (records: number): void => {
      metrics.queueRecords.set(records);
    },
  };
}

/** Of the first contact: a wait is told once, however long it lasts, and once more when the obstacle is another one. */
function databaseEvents(log: Logger) {
  const obstacle = new Obstacle();
  return {
    databaseAway: (failure: { readonly obstacle: string; readonly line: string }): void => {
      if (obstacle.met(failure.obstacle)) log.warn(`PostgreSQL: ${failure.line}; waiting for it`);
    },
    databaseThere(): void {
      if (obstacle.passed()) log.info('PostgreSQL is there');
    },
  };
}

/** A failed transaction: what was tried, and what is done about it. */
export interface WriteFailure {
  readonly code: string;
  readonly meaning: string;
  readonly error: unknown;
  readonly attempt: number;
  readonly delayMs: number;
}

function writeEvents(metrics: CoreMetrics, log: Logger) {
  return {
    written(result: { inserted: number; duplicates: number; late: number }, durationMs: number): void {
      metrics.writes.inc({ status: 'inserted' }, result.inserted);
      metrics.writes.inc({ status: 'duplicate' }, result.duplicates);
      metrics.lateRecords.inc(result.late);
      metrics.writeDuration.observe(durationMs / MS);
    },
    /** `receivedAt` of each entry that is now stored, epoch milliseconds. */
    committed(receivedAt: readonly number[]): void {
      const now = Date.now();
      for (const at of receivedAt) metrics.commitLatency.observe(Math.max(0, now - at) / MS);
    },
    writeFailed(failure: WriteFailure): void {
      const { code, meaning, attempt, delayMs } = failure;
      metrics.writeRetries.inc({ code });
      log.warn({ code, attempt, delayMs, error: errorMessage(failure.error) }, `cannot write: ${meaning}; trying again`);
    },
    deadLettered(letters: readonly DeadLetter[]): void {
      for (const { reason, deviceId, field, message, origin } of letters) {
        metrics.deadLetters.inc({ reason });
        if (reason === 'malformed_entry') metrics.decodeErrors.inc();
        if (reason === 'database_refused') metrics.writes.inc({ status: 'failed' });
        log.warn({ reason, deviceId, field, origin }, `kept as dead letter: ${message}`);
      }
    },
  };
}

function deadLetterEvents(metrics: CoreMetrics, log: Logger) {
  return {
    deadLettersMeasured({ entries, bytes, oldestAgeMs }: DeadLetterStats, maxBytes: number): void {
      metrics.deadLetterEntries.set(entries);
      metrics.deadLetterBytes.set(bytes);
      metrics.deadLetterMaxBytes.set(maxBytes);
      metrics.deadLetterOldestAge.set(oldestAgeMs / MS);
    },
    deadLettersDropped({ letters, fromMs, toMs }: DroppedLetters): void {
      metrics.deadLettersDropped.inc(letters);
      const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
      log.error({ letters, from, to }, 'dropped the oldest dead letters: they take more than DEAD_LETTER_MAX_BYTES');
    },
  };
}

function deviceEvents(metrics: CoreMetrics, log: Logger) {
  return {
    deviceStateSize(devices: number): void {
      metrics.deviceStateSize.set(devices);
    },
    deviceEvicted(): void {
      metrics.deviceStateEvictions.inc();
    },
    devicesRegistered(uniqueIds: readonly string[]): void {
      metrics.devicesRegistered.inc(uniqueIds.length);
      log.debug({ uniqueIds }, 'new devices');
    },
  };
}

function rollupEvents(metrics: CoreMetrics, log: Logger) {
  const report = limited(log);
  return {
    rolledUp(cause: RollupCause, hours: number, durationMs: number): void {
      metrics.rollupHours.inc({ cause }, hours);
      metrics.rollupDuration.observe(durationMs / MS);
    },
    minutesRolledUp(durationMs: number): void {
      metrics.rollupDuration.observe(durationMs / MS);
    },
    rollupsMeasured({ marks, lagSeconds, minutesLagSeconds }: RollupStats): void {
      metrics.rollupMarks.set(marks);
      metrics.rollupLag.set(lagSeconds);
      metrics.rollupMinutesLag.set(minutesLagSeconds);
    },
    rollupWaits: (): void => {
      report('warn', 'rolling up', {}, 'what is over is not rolled up yet: a transaction that writes positions does not end; trying again');
    },
    rollupsFilled(): void {
      log.info('the rollups have all positions that are kept');
    },
  };
}

export function createCoreEvents(metrics: CoreMetrics, log: Logger) {
  startAtZero(metrics);
  return {
    ...streamEvents(metrics, log),
    ...databaseEvents(log),
    ...writeEvents(metrics, log),
    ...deadLetterEvents(metrics, log),
    ...deviceEvents(metrics, log),
    ...rollupEvents(metrics, log),
  };
}
