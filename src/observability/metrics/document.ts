/** `docs/metrics.md`, written from the metrics themselves by `npm run docs` and compared in CI. */
import { Registry } from 'prom-client';
import { createAuthMetrics } from './auth.ts';
import { createCoreMetrics } from './core.ts';
import { createHttpMetrics } from './http.ts';
import { createHttpWriteMetrics } from './http-write.ts';
import { createIngestMetrics } from './ingest.ts';
import { createLiveMetrics } from './live.ts';
import { createProcessMetrics } from './process.ts';
import { createQueryProtectionMetrics } from './query-protection.ts';
import { createQueryMetrics } from './query.ts';

/** What prom-client keeps of a metric beyond its public type. */
interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames?: readonly string[];
}

async function rows(create: (registry: Registry) => Record<string, unknown>): Promise<string[]> {
  const registry = new Registry();
  const metrics = Object.values(create(registry)) as { labelNames?: readonly string[] }[];
  const described = (await registry.getMetricsAsJSON()) as unknown as Described[];
  return described.map(({ name, help, type }, index) => {
    const labels = metrics[index]?.labelNames ?? [];
    const shown = labels.length === 0 ? '–' : labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
  });
}

/** Markdown. */
export async function metricsDocument(): Promise<string> {
  const table = ['| name | type | labels | what |', '| --- | --- | --- | --- |'];
  return [
    '# Metrics',
    '',
    'Served at `/metrics` on `METRICS_PORT`, beside the metrics of the Node.js process itself (`process_…`, `nodejs_…`).',
    'Written from `src/observability/metrics/` by `npm run docs`; do not edit.',
    '',
    '## Ingest',
    '',
    ...table,
    ...(await rows(createIngestMetrics)),
    '',
    '## Processor',
    '',
    ...table,
    ...(await rows(createCoreMetrics)),
    '',
    '## Live',
    '',
    ...table,
    ...(await rows(createLiveMetrics)),
    '',
    '## Authority',
    '',
    'Shared by the live server and the HTTP API of a process.',
    '',
    ...table,
    ...(await rows(createAuthMetrics)),
    '',
    '## HTTP API',
    '',
    ...table,
    ...(await rows(createHttpMetrics)),
    '',
    '## Writing over HTTP',
    '',
    'Records that are appended count among those of ingest too, under the protocol `http`.',
    '',
    ...table,
    ...(await rows(createHttpWriteMetrics)),
    '',
    '## Query',
    '',
    ...table,
    ...(await rows(createQueryMetrics)),
    ...(await rows(createQueryProtectionMetrics)),
    '',
    '## Process',
    '',
    ...table,
    ...(await rows(createProcessMetrics)),
    '',
  ].join('\n');
}
