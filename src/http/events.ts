/** What happens in the HTTP API, each as one function that logs and counts. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LoginAnswer } from '../auth/local/sign-in.ts';
import type { HttpMetrics } from '../observability/metrics/http.ts';
import type { Problem } from './problem.ts';
import type { ProblemCode } from './problems.ts';

export type HttpEvents = ReturnType<typeof createHttpEvents>;

const MS = 1_000;

/** Refusals for who somebody is. */
const REFUSALS: ReadonlySet<ProblemCode> = new Set([
  'unauthenticated', 'credential_refused', 'forbidden', 'origin_refused', 'login_locked', 'authority_unavailable',
]);
const LOGIN_RESULTS: readonly LoginAnswer['outcome'][] = ['signed_in', 'refused', 'locked', 'busy', 'unavailable'];

export function createHttpEvents(metrics: HttpMetrics) {
  for (const reason of REFUSALS) metrics.refusals.inc({ reason }, 0);
  for (const result of LOGIN_RESULTS) metrics.logins.inc({ result }, 0);
  return {
    begun(): void {
      metrics.inFlight.inc();
    },
    /** The answer is out, or nobody waits for it any more. */
    ended(request: FastifyRequest, reply: FastifyReply, durationMs: number): void {
      const isComplete = reply.raw.writableFinished;
      const { statusCode } = reply;
      const { method, log, routeOptions: { url: route = 'unmatched' } } = request;
      metrics.inFlight.dec();
      metrics.requests.inc({ route, method, status: isComplete ? String(statusCode) : 'aborted' });
      const status = isComplete ? `${Math.floor(statusCode / 100)}xx` : 'aborted';
      metrics.duration.observe({ route, method, status }, durationMs / MS);
      const { knownCaller } = request;
      const caller = knownCaller?.id ?? null;
      const what = { method, route, status: statusCode, durationMs: Math.round(durationMs), caller };
      const level = isComplete && statusCode >= 500 ? 'warn' : 'debug';
      log[level](what, isComplete ? 'request answered' : 'request aborted by its client');
    },
    refused({ code }: Problem): void {
      if (REFUSALS.has(code)) metrics.refusals.inc({ reason: code });
    },
    failed({ log, method, routeOptions: { url: route } }: FastifyRequest, error: unknown): void {
      log.error({ err: error, method, route }, 'a request failed for a bug of ours');
    },
    login(result: LoginAnswer['outcome'], { log, ip: address }: FastifyRequest): void {
      metrics.logins.inc({ result });
      log[result === 'locked' ? 'warn' : 'info']({ result, address }, 'login');
    },
  };
}
