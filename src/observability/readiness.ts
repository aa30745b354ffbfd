/**
 * Readiness: what the roles of this process need. A probe that costs a query is cached, so that `/readyz` can be asked
 * as often as anybody likes.
 */
import { inTime } from '../shared/deadline.ts';
import { errorMessage } from '../shared/errors.ts';

export interface Readiness {
  readonly ready: boolean;
  /** `ok`, or what is wrong, by name of the check. */
  readonly checks: Readonly<Record<string, string>>;
}

export type ReadinessChecks = () => Promise<Readiness>;

/** Resolves when all is well, rejects or throws with what is not. */
export type Probe = () => Promise<void> | void;

/** A server that is frozen does not answer at all, and whoever asks for readiness does not wait for ever. */
const PROBE_TIMEOUT_MS = 2_000;

async function run(probe: Probe): Promise<string> {
  try {
    await inTime(Promise.resolve().then(probe), PROBE_TIMEOUT_MS, () => new Error('no answer in time'));
    return 'ok';
  } catch (error) {
    return errorMessage(error);
  }
}

/** All probes side by side. */
export function readinessOf(probes: Readonly<Record<string, Probe>>): ReadinessChecks {
  return async () => {
    const results = await Promise.all(
      Object.entries(probes).map(async ([name, probe]): Promise<[string, string]> => [name, await run(probe)]),
    );
    return { ready: results.every(([, result]) => result === 'ok'), checks: Object.fromEntries(results) };
  };
}

/** A probe that is asked again only after `ttlMs`; callers in the meantime share the last answer. */
export function cached(probe: Probe, ttlMs: number, now: () => number = performance.now.bind(performance)): Probe {
  let askedAt = Number.NEGATIVE_INFINITY;
  let last: Promise<void> = Promise.resolve();
  return () => {
    if (now() - askedAt >= ttlMs) {
      askedAt = now();
      last = Promise.resolve().then(probe);
    }
    return last;
  };
}
