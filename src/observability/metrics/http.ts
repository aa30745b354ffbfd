/** Metrics of the HTTP API. A route is its pattern, never a path that somebody has asked for. */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export type HttpMetrics = ReturnType<typeof createHttpMetrics>;

export function createHttpMetrics(registry: Registry) {
  const registers = [registry];
  return {
    requests: new Counter({ registers, name: 'odograph_http_requests_total', help: 'Requests that were answered, by route, method and status; `aborted`: the client went before the answer was complete. What is no route counts under `unmatched`.', labelNames: ['route', 'method', 'status'] }),
    duration: new Histogram({ registers, name: 'odograph_http_request_duration_seconds', help: 'From the head of a request to the end of its answer, by route, method and class of status.', labelNames: ['route', 'method', 'status'], buckets: DURATION_BUCKETS }),
    inFlight: new Gauge({ registers, name: 'odograph_http_requests_in_flight', help: 'Requests that are being answered.' }),
    refusals: new Counter({ registers, name: 'odograph_http_auth_refusals_total', help: 'Requests that were refused for who sent them, by the code of the problem.', labelNames: ['reason'] }),
    logins: new Counter({ registers, name: 'odograph_http_logins_total', help: 'Attempts to open a browser session, by result.', labelNames: ['result'] }),
  };
}
