import { expect, it } from 'vitest';
import { createAuthMetrics } from '../../src/observability/metrics/auth.ts';
import { createCoreMetrics } from '../../src/observability/metrics/core.ts';
import { metricsDocument } from '../../src/observability/metrics/document.ts';
import { createHttpMetrics } from '../../src/observability/metrics/http.ts';
import { createIngestMetrics } from '../../src/observability/metrics/ingest.ts';
import { createLiveMetrics } from '../../src/observability/metrics/live.ts';
import { createProcessMetrics } from '../../src/observability/metrics/process.ts';
import { Registry } from '../../src/observability/metrics/registry.ts';

const registry = new Registry();
createIngestMetrics(registry);
createCoreMetrics(registry);
createLiveMetrics(registry);
createAuthMetrics(registry);
createHttpMetrics(registry);
createProcessMetrics(registry);
const metrics = registry.getMetricsAsArray() as unknown as { name: string; help: string; labelNames: string[] }[];

const rows = metrics.map(({ name, help, labelNames }) => [name, help, labelNames] as const);

it.each(rows)('docs/metrics.md has %s with its labels', async (name, help, labels) => {
  const row = (await metricsDocument()).split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
  expect(row).toContain(help);
  expect(row).toContain(labels.length === 0 ? '| – |' : labels.map((label) => `\`${label}\``).join(', '));
});

it.each(metrics.map(({ name }) => [name]))('%s has a name of ours', (name) => {
  expect(name).toMatch(/^(odograph|processor)_[a-z_]+$/);
});
