/** Metrics of what stands between the questions and the database: the cache, the lanes and the breaker. */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export type QueryProtectionMetrics = ReturnType<typeof createQueryProtectionMetrics>;

function cacheMetrics(registers: Registry[]) {
  return {
    cacheRequests: new Counter({ registers, name: 'odograph_query_cache_requests_total', help: 'Questions that may be answered from the cache, by question and result: hit, miss, shared (an equal one was under way) or bypass (Redis was away).', labelNames: ['question', 'result'] }),
    cacheSkips: new Counter({ registers, name: 'odograph_query_cache_skips_total', help: 'Answers that were not kept, by reason: too_large (over QUERY_CACHE_MAX_ANSWER_BYTES), no_room (QUERY_CACHE_MAX_BYTES are taken) or away (Redis).', labelNames: ['reason'] }),
    cacheFailures: new Counter({ registers, name: 'odograph_query_cache_failures_total', help: 'Commands of the cache that Redis refused or did not answer in time, by operation.', labelNames: ['operation'] }),
    cacheBytes: new Gauge({ registers, name: 'odograph_query_cache_bytes', help: 'Memory of Redis that the cached answers of this process take, at most.' }),
    answerDuration: new Histogram({ registers, name: 'odograph_query_answer_duration_seconds', help: 'Answers that may come from the cache, by question, source (raw, minutes or hours) and whether the cache had it.', labelNames: ['question', 'source', 'cached'], buckets: LATENCY_BUCKETS }),
  };
}

function laneMetrics(registers: Registry[]) {
  return {
    running: new Gauge({ registers, name: 'odograph_query_running', help: 'Questions that the database is answering, by weight: cheap or expensive.', labelNames: ['weight'] }),
    waiting: new Gauge({ registers, name: 'odograph_query_waiting', help: 'Questions that wait for their turn, by weight; at most QUERY_QUEUE_LIMIT each.', labelNames: ['weight'] }),
    turnedAway: new Counter({ registers, name: 'odograph_query_turned_away_total', help: 'Questions that were not put to the database, by weight and reason: full (QUERY_QUEUE_LIMIT wait), overdue (no turn within QUERY_QUEUE_TIMEOUT_MS) or broken (the database was away a moment ago).', labelNames: ['weight', 'reason'] }),
    tooExpensive: new Counter({ registers, name: 'odograph_query_too_expensive_total', help: 'Questions that were refused because they would read more than QUERY_MAX_ROWS.' }),
    breakerOpen: new Gauge({ registers, name: 'odograph_query_breaker_open', help: '1 while no question is put to the database because it was away for several in a row.' }),
  };
}

export function createQueryProtectionMetrics(registry: Registry) {
  const registers = [registry];
  return { ...cacheMetrics(registers), ...laneMetrics(registers) };
}
