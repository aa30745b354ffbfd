/** Metrics of writing over HTTP. Counters count records and requests. */
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

export type HttpWriteMetrics = ReturnType<typeof createHttpWriteMetrics>;

export function createHttpWriteMetrics(registry: Registry) {
  const registers = [registry];
  return {
    records: new Counter({ registers, name: 'odograph_http_records_total', help: 'Records posted, by what became of them: accepted (durable in the stream), or rejected with the reason of docs/errors.md.', labelNames: ['result', 'reason'] }),
    unconfirmed: new Counter({ registers, name: 'odograph_http_writes_unconfirmed_total', help: 'Requests answered with 503 since their records were not known to be durable, by what stood in the way: congested, stalled, timeout, stopping, memory or redis.', labelNames: ['obstacle'] }),
    rateLimited: new Counter({ registers, name: 'odograph_http_writes_rate_limited_total', help: 'Requests answered with 429.' }),
    rateLimitFallbacks: new Counter({ registers, name: 'odograph_http_rate_limit_fallbacks_total', help: 'Requests counted by this process alone since Redis did not answer.' }),
    idempotency: new Counter({ registers, name: 'odograph_http_idempotency_keys_total', help: 'Requests with Idempotency-Key, by what was known of the key: new, replayed, busy or mismatch.', labelNames: ['result'] }),
    bodyBytes: new Gauge({ registers, name: 'odograph_http_write_body_bytes', help: 'Bytes of bodies that are held as a whole, at most INGEST_APPEND_QUEUE_BYTES.' }),
  };
}
