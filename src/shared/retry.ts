/** Attempts that are repeated until one succeeds, and work that is repeated for ever. */
import { pause } from './wait.ts';

interface Attempts {
  /** What is attempted, for the log. */
  readonly what: string;
  readonly signal: AbortSignal;
  readonly onError: (what: string, error: unknown) => void;
}

const RETRY_MS = 200;

/**
 * Attempts until one succeeds; failures are reported.
 * @returns false when `signal` aborted first
 */
export async function untilDone(
  { what, signal, onError }: Attempts,
  attempt: () => Promise<unknown>,
): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await attempt();
      return true;
    } catch (error) {
      if (!signal.aborted) onError(what, error);
      await pause(RETRY_MS, signal);
    }
  }
  return false;
}

/** Does the work at once and then every `intervalMs` after it was done; a failure is reported and does not end it. */
export async function repeat(
  { what, signal, onError, intervalMs }: Attempts & { readonly intervalMs: number },
  work: () => Promise<unknown>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      if (!signal.aborted) onError(what, error);
    }
    await pause(intervalMs, signal);
  }
}
