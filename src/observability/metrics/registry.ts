/** The metrics of a process: one registry, with Node's own metrics in it. */
import { Registry, collectDefaultMetrics } from 'prom-client';

export { Registry } from 'prom-client';

export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
