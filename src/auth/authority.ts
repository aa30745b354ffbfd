/**
 * The authority of a process: one, shared by all that ask who somebody is, so that a credential is asked about once and
 * what is decided about it, or revoked, holds everywhere.
 */
import type { Registry } from 'prom-client';
import type { Settings } from '../config/settings.ts';
import type { Logger } from '../observability/logger.ts';
import { createAuthMetrics } from '../observability/metrics/auth.ts';
import type { AuthorityEvents } from './events.ts';
import { createAuthorityEvents } from './events.ts';
import { measured } from './measured.ts';
import type { AuthProvider } from './provider.ts';
import { Sessions } from './sessions.ts';

export interface AuthorityOptions {
  readonly settings: Pick<Settings, 'LIVE_AUTHZ_REVALIDATE_MS' | 'DIRECTUS_MAX_REQUESTS'>;
  readonly registry: Registry;
  readonly log: Logger;
  /** Given the events, so that it can report what it does. */
  readonly provider: (events: AuthorityEvents) => AuthProvider;
}

export class Authority {
  readonly provider: AuthProvider;
  readonly sessions: Sessions;
  #isStarted = false;

  constructor({ settings, registry, log, provider }: AuthorityOptions) {
    const events = createAuthorityEvents(createAuthMetrics(registry), log);
    this.provider = measured(provider(events), events.provider);
    this.sessions = new Sessions({
      provider: this.provider,
      validityMs: settings.LIVE_AUTHZ_REVALIDATE_MS,
      revalidationsAtOnce: Math.ceil(settings.DIRECTUS_MAX_REQUESTS / 2),
      events: events.sessions,
    });
  }

  /** Whoever uses it starts it; the first does. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.sessions.start();
  }

  stop(): void {
    this.sessions.stop();
  }
}
