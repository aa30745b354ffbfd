/** What happens in the role query, each as one function that logs and counts. WARN: something is wrong. */
import type { Pool } from 'pg';
import type { FailedAttempt } from '../db/pool.ts';
import type { QueryMetrics } from '../observability/metrics/query.ts';
import type { Logger } from '../observability/logger.ts';
import { WarningLimit } from '../observability/warning-limit.ts';
import { errorMessage } from '../shared/errors.ts';
import { Obstacle } from '../shared/obstacle.ts';
import type { QuestionResult } from './database-problem.ts';

export type QueryEvents = ReturnType<typeof createQueryEvents>;

const MS = 1_000;

export function createQueryEvents(metrics: QueryMetrics, log: Logger, pool: Pool) {
  const warnings = new WarningLimit();
  const measurePool = (): void => {
    metrics.connections.set({ state: 'busy' }, pool.totalCount - pool.idleCount);
    metrics.connections.set({ state: 'idle' }, pool.idleCount);
    metrics.connections.set({ state: 'waiting' }, pool.waitingCount);
  };
  const obstacle = new Obstacle();
  measurePool();
  metrics.downloads.set(0);
  return {
    answered(question: string, result: QuestionResult, durationMs: number, rows: number): void {
      metrics.questionDuration.observe({ question, result }, durationMs / MS);
      if (rows > 0) metrics.rows.inc({ question }, rows);
      measurePool();
      if (result !== 'timeout' && result !== 'unavailable') return;
      const leftOut = warnings.admit(result);
      if (leftOut !== null) log.warn({ question, result, durationMs: Math.round(durationMs), leftOut }, 'a question was not answered');
    },
    downloadStarted(): void {
      metrics.downloads.inc();
    },
    /** @param error why the client has not got all of it; null: it has, or it has gone */
    downloadEnded(format: string, error: unknown): void {
      metrics.downloads.dec();
      if (error !== null) log.warn({ format, error: errorMessage(error) }, 'a download was broken off');
    },
    /** Each obstacle is said once. */
    databaseAway: (failure: FailedAttempt): void => {
      const { attempt, delayMs, line } = failure;
      log[obstacle.met(failure.obstacle) ? 'warn' : 'debug']({ attempt, delayMs }, `the database of the role query: ${line}`);
    },
  };
}
