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
    async authorise(credential, resources) {
      const startedAt = performance.now();
      const answer = await provider.authorise(credential, resources);
      events.authorised(answer.outcome, performance.now() - startedAt);
      events.reachable(answer.outcome === 'unavailable' ? answer.message : null);
      return answer;
    },
  };
}
