/** What happens at the authority, each as one function that logs and counts. Nothing here is lost data. */
import type { AuthMetrics } from '../observability/metrics/auth.ts';
import type { Logger } from '../observability/logger.ts';
import { Outage } from '../shared/outage.ts';
import type { ProviderEvents } from './measured.ts';
import type { SessionEvents } from './sessions.ts';

export type AuthorityEvents = ReturnType<typeof createAuthorityEvents>;

const MS = 1_000;

export function createAuthorityEvents(metrics: AuthMetrics, log: Logger) {
  for (const result of ['confirmed', 'ended', 'unavailable', 'lapsed']) metrics.revalidations.inc({ result }, 0);
  const authority = new Outage();
  let isWatching: boolean | null = null;
  const provider: ProviderEvents = {
    authenticated: (result, durationMs) => { metrics.authDuration.observe({ result }, durationMs / MS); },
    authorised: (result, durationMs) => { metrics.authzDuration.observe({ result }, durationMs / MS); },
    reachable: (found) => {
      const change = authority.observe(found !== null, performance.now());
      if (change === 'begins') log.warn({ error: found }, 'the authority cannot be asked: nobody new is let in, and decisions lapse in time');
      if (change === 'ends') log.info('the authority can be asked again');
    },
  };
  const sessions: SessionEvents = {
    sessions: (count) => { metrics.sessions.set(count); },
    revalidated: (result) => {
      metrics.revalidations.inc({ result });
      if (result === 'lapsed') log.warn('a session has lapsed: the authority could not be asked in time');
    },
  };
  return {
    provider,
    sessions,
    directusAsked: (result: string, durationMs: number): void => {
      metrics.directusRequests.observe({ result }, durationMs / MS);
    },
    directusWatch: (state: 'connected' | { readonly lost: string }): void => {
      metrics.directusWatching.set(state === 'connected' ? 1 : 0);
      if (state === 'connected') log.info('Directus tells what changes there');
      else if (isWatching !== false) log.warn({ error: state.lost }, 'Directus does not tell what changes there; decisions are asked again at intervals');
      isWatching = state === 'connected';
    },
  };
}
