/** A provider whose answers are timed and counted. */
import type { AuthProvider, Authentication, Authorisation } from './provider.ts';

export interface ProviderEvents {
  authenticated(result: Authentication['outcome'], durationMs: number): void;
  authorised(result: Authorisation['outcome'], durationMs: number): void;
  /** The authority answers, or why it does not. */
  reachable(problem: string | null): void;
}

export function measured(provider: AuthProvider, events: ProviderEvents): AuthProvider {
  return {
    ...provider,
    async authenticate(credential, known) {
      const startedAt = performance.now();
      const answer = await provider.authenticate(credential, known);
      events.authenticated(answer.outcome, performance.now() - startedAt);
      events.reachable(answer.outcome === 'unavailable' ? answer.message : null);
      return answer;
    },
    async authorise(credential, resources, identity) {
      const startedAt = performance.now();
      const answer = await provider.authorise(credential, resources, identity);
      events.authorised(answer.outcome, performance.now() - startedAt);
      events.reachable(answer.outcome === 'unavailable' ? answer.message : null);
      return answer;
    },
    async accessOf(credential, identity) {
      const startedAt = performance.now();
      const answer = await provider.accessOf(credential, identity);
      events.authorised(answer.outcome, performance.now() - startedAt);
      events.reachable(answer.outcome === 'unavailable' ? answer.message : null);
      return answer;
    },
  };
}
