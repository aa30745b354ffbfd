/** Metrics of the role query: what it asks of the database, and what it sends out of it. */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export type QueryMetrics = ReturnType<typeof createQueryMetrics>;

export function createQueryMetrics(registry: Registry) {
  const registers = [registry];
  return {
    questionDuration: new Histogram({ registers, name: 'odograph_query_question_duration_seconds', help: 'Questions to the database, by question and result: ok, abandoned (the client had gone), timeout, unavailable or error. Waiting for a connection is part of it.', labelNames: ['question', 'result'], buckets: LATENCY_BUCKETS }),
    rows: new Counter({ registers, name: 'odograph_query_rows_total', help: 'Rows read from the database, by question.', labelNames: ['question'] }),
    connections: new Gauge({ registers, name: 'odograph_query_pool_connections', help: 'Connections of the role query to PostgreSQL, by state: busy or idle; `waiting` are questions that wait for one.', labelNames: ['state'] }),
    downloads: new Gauge({ registers, name: 'odograph_query_downloads', help: 'Downloads that are being sent.' }),
  };
}
