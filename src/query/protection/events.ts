/** What happens to questions before the database, each as one function that logs and counts. WARN: nothing is lost. */
import type { QueryProtectionMetrics } from '../../observability/metrics/query-protection.ts';
import type { Logger } from '../../observability/logger.ts';
import { WarningLimit } from '../../observability/warning-limit.ts';
import type { CacheResult } from '../cache/answer-cache.ts';
import type { SkipReason } from '../cache/answer-store.ts';
import type { Weight } from '../database.ts';
import type { TurnedAway } from './lane.ts';

export type ProtectionEvents = ReturnType<typeof createProtectionEvents>;

const MS = 1_000;
const WEIGHTS = ['cheap', 'expensive'] as const;

/** A counter that appears with its first event has no increase that an alert could see. */
function startAtZero(metrics: QueryProtectionMetrics): void {
  for (const reason of ['too_large', 'no_room', 'away']) metrics.cacheSkips.inc({ reason }, 0);
  for (const operation of ['get', 'set']) metrics.cacheFailures.inc({ operation }, 0);
  for (const weight of WEIGHTS) {
    for (const reason of ['full', 'overdue', 'broken']) metrics.turnedAway.inc({ weight, reason }, 0);
    metrics.running.set({ weight }, 0);
    metrics.waiting.set({ weight }, 0);
  }
  metrics.breakerOpen.set(0);
  metrics.cacheBytes.set(0);
}

export function createProtectionEvents(metrics: QueryProtectionMetrics, log: Logger) {
  const warnings = new WarningLimit();
  startAtZero(metrics);
  return {
    cacheAsked(question: string, result: CacheResult): void {
      metrics.cacheRequests.inc({ question, result });
    },
    answered(question: string, source: string, isCached: boolean, durationMs: number): void {
      metrics.answerDuration.observe({ question, source, cached: String(isCached) }, durationMs / MS);
    },
    cacheSkipped(reason: SkipReason): void {
      metrics.cacheSkips.inc({ reason });
    },
    cacheFailed(operation: 'get' | 'set'): void {
      metrics.cacheFailures.inc({ operation });
      const leftOut = warnings.admit('cache');
      if (leftOut !== null) log.warn({ operation, leftOut }, 'Redis did not serve the cache of answers; the database is asked');
    },
    cacheHolds(bytes: number): void {
      metrics.cacheBytes.set(bytes);
    },
    turnedAway(weight: Weight, reason: TurnedAway | 'broken'): void {
      metrics.turnedAway.inc({ weight, reason });
      const leftOut = warnings.admit(reason);
      if (leftOut !== null) log.warn({ weight, reason, leftOut }, 'a question was turned away');
    },
    queues(weight: Weight, running: number, waiting: number): void {
      metrics.running.set({ weight }, running);
      metrics.waiting.set({ weight }, waiting);
    },
    tooExpensive: (rows: number): void => {
      metrics.tooExpensive.inc();
      log.debug({ rows }, 'a question was too expensive');
    },
    breaker(isOpen: boolean): void {
      metrics.breakerOpen.set(isOpen ? 1 : 0);
    },
  };
}
