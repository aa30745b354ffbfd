/** The metrics of a system that runs. */
import type { Sample } from '../../src/shared/metrics-text.ts';
import { parseMetrics } from '../../src/shared/metrics-text.ts';
import type { System } from './system.ts';

/** @throws Error when there is no answer, or not one of metrics. */
export async function readMetrics({ metricsUrl }: Pick<System, 'metricsUrl'>): Promise<readonly Sample[]> {
  const response = await fetch(new URL('/metrics', metricsUrl));
  if (!response.ok) throw new Error(`${metricsUrl} answered ${response.status}`);
  return parseMetrics(await response.text());
}
