/** What happens when records are written over HTTP, each as one function that counts and, where it matters, logs. */
import type { HttpWriteMetrics } from '../../observability/metrics/http-write.ts';
import type { IngestMetrics } from '../../observability/metrics/ingest.ts';
import type { Logger } from '../../observability/logger.ts';
import { limited } from '../../observability/warning-limit.ts';
import { errorMessage } from '../../shared/errors.ts';
import type { RecordReason } from '../../shared/record-reasons.ts';
import { RECORD_REASON_CODES } from '../../shared/record-reasons.ts';
import type { Obstacle } from './append-window.ts';
import { PROTOCOL } from './collector.ts';

const OBSTACLES = ['congested', 'stalled', 'timeout', 'stopping', 'memory', 'redis'] as const;
const KEY_RESULTS = ['new', 'replayed', 'busy', 'mismatch'] as const;

export type HttpWriteEvents = ReturnType<typeof createHttpWriteEvents>;

/** Whom a log line is about. */
export interface Writer {
  readonly callerId: string;
  readonly requestId: string;
}

/** A counter that appears with its first event has no increase that an alert could see. */
function showAll(metrics: HttpWriteMetrics): void {
  metrics.records.inc({ result: 'accepted', reason: '' }, 0);
  for (const reason of RECORD_REASON_CODES) metrics.records.inc({ result: 'rejected', reason }, 0);
  for (const obstacle of OBSTACLES) metrics.unconfirmed.inc({ obstacle }, 0);
  for (const result of KEY_RESULTS) metrics.idempotency.inc({ result }, 0);
}

export function createHttpWriteEvents(metrics: HttpWriteMetrics, ingest: Pick<IngestMetrics, 'records'>, log: Logger) {
  const report = limited(log);
  showAll(metrics);
  return {
    /** Records have become durable. */
    appended(records: number): void {
      metrics.records.inc({ result: 'accepted', reason: '' }, records);
      ingest.records.inc({ protocol: PROTOCOL }, records);
    },
    /** A request was answered; its sender knows of these. */
    rejected(writer: Writer, reasons: ReadonlyMap<RecordReason, number>): void {
      for (const [reason, count] of reasons) metrics.records.inc({ result: 'rejected', reason }, count);
      if (reasons.size > 0) log.debug({ ...writer, reasons: Object.fromEntries(reasons) }, 'records rejected');
    },
    unconfirmed(writer: Writer, obstacle: Obstacle | 'memory' | 'redis', error: unknown): void {
      metrics.unconfirmed.inc({ obstacle });
      report('warn', `unconfirmed ${obstacle}`, { ...writer, obstacle, error: errorMessage(error) }, 'records over HTTP are not confirmed; their sender has to send them again');
    },
    rateLimited(writer: Writer): void {
      metrics.rateLimited.inc();
      report('warn', 'rate_limited', { ...writer }, 'a caller makes more requests than INGEST_HTTP_REQUESTS_PER_MINUTE');
    },
    countedAlone(error: unknown): void {
      metrics.rateLimitFallbacks.inc();
      report('warn', 'rate_limit', { error: errorMessage(error) }, 'Redis does not count requests; this process counts alone');
    },
    idempotencyKey(result: (typeof KEY_RESULTS)[number]): void {
      metrics.idempotency.inc({ result });
    },
    answerNotKept(writer: Writer, error: unknown): void {
      report('warn', 'answer_not_kept', { ...writer, error: errorMessage(error) }, 'the answer for an Idempotency-Key could not be kept; the key stays in use for a while');
    },
    clientGone(writer: Writer): void {
      log.debug(writer, 'a client went away before its records were answered');
    },
    bodyBytes(bytes: number): void {
      metrics.bodyBytes.set(bytes);
    },
  };
}
