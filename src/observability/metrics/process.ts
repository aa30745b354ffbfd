/** Metrics of a process as a whole, whatever its roles are. */
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { ReadinessChecks } from '../readiness.ts';

export type ProcessMetrics = ReturnType<typeof createProcessMetrics>;

const NO_CHECKS: ReadinessChecks = () => Promise.resolve({ ready: true, checks: {} });

/** @param readiness asked at each scrape: a server that is away shows, whether or not anything is asked of it */
export function createProcessMetrics(registry: Registry, readiness = NO_CHECKS) {
  return {
    ready: new Gauge({
      registers: [registry],
      name: 'odograph_ready',
      help: '1 where a check of /readyz succeeds, 0 where it says what is wrong.',
      labelNames: ['check'],
      async collect() {
        const { checks } = await readiness();
        for (const [check, result] of Object.entries(checks)) this.set({ check }, result === 'ok' ? 1 : 0);
      },
    }),
  };
}
