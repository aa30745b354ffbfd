/**
 * Metrics of the authority, which the live server and the HTTP API of a process share. The names say `live` because it
 * was theirs first.
 */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export type AuthMetrics = ReturnType<typeof createAuthMetrics>;

export function createAuthMetrics(registry: Registry) {
  const registers = [registry];
  return {
    authDuration: new Histogram({ registers, name: 'processor_live_auth_duration_seconds', help: 'Asking who a credential belongs to, by result.', labelNames: ['result'], buckets: LATENCY_BUCKETS }),
    authzDuration: new Histogram({ registers, name: 'processor_live_authz_duration_seconds', help: 'Asking what a user may read, by result.', labelNames: ['result'], buckets: LATENCY_BUCKETS }),
    revalidations: new Counter({ registers, name: 'processor_live_revalidations_total', help: 'Sessions that were asked about again, by result: confirmed, ended, unavailable, or lapsed because nobody could be asked in time.', labelNames: ['result'] }),
    sessions: new Gauge({ registers, name: 'processor_live_sessions', help: 'Credentials that were accepted and are remembered.' }),
    directusRequests: new Histogram({ registers, name: 'processor_live_directus_request_duration_seconds', help: 'Requests to Directus, waiting for a turn included, by result; `turned_away`: never sent, too many waited already.', labelNames: ['result'], buckets: LATENCY_BUCKETS }),
    directusWatching: new Gauge({ registers, name: 'processor_live_directus_watching', help: "1 while Directus's WebSocket tells what changes there." }),
  };
}
