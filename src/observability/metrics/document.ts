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

type CreateMetrics = (registry: Registry) => Record<string, unknown>;

interface Section {
  readonly title: string;
  readonly about?: string;
  readonly metrics: readonly CreateMetrics[];
}

const SECTIONS: readonly Section[] = [
  { title: 'Ingest', metrics: [createIngestMetrics] },
  { title: 'Processor', metrics: [createCoreMetrics] },
  { title: 'Live', metrics: [createLiveMetrics] },
  { title: 'Authority', about: 'Shared by the live server and the HTTP API of a process.', metrics: [createAuthMetrics] },
  { title: 'HTTP API', metrics: [createHttpMetrics] },
  {
    title: 'Writing over HTTP',
    about: 'Records that are appended count among those of ingest too, under the protocol `http`.',
    metrics: [createHttpWriteMetrics],
  },
  { title: 'Query', metrics: [createQueryMetrics, createQueryProtectionMetrics] },
  { title: 'Process', metrics: [createProcessMetrics] },
];

async function rows(create: CreateMetrics): Promise<string[]> {
  const registry = new Registry();
  const metrics = Object.values(create(registry)) as { labelNames?: readonly string[] }[];
  const described = (await registry.getMetricsAsJSON()) as unknown as Described[];
  return described.map(({ name, help, type }, index) => {
    const labels = metrics[index]?.labelNames ?? [];
    const shown = labels.length === 0 ? '–' : labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
  });
}

async function section({ title, about, metrics }: Section): Promise<string[]> {
  const table = ['| name | type | labels | what |', '| --- | --- | --- | --- |'];
  const described = await Promise.all(metrics.map(rows));
  return [`## ${title}`, '', ...(about === undefined ? [] : [about, '']), ...table, ...described.flat(), ''];
}

/** Markdown. */
export async function metricsDocument(): Promise<string> {
  return [
    '# Metrics',
    '',
    'Served at `/metrics` on `METRICS_PORT`, beside the metrics of the Node.js process itself (`process_…`, `nodejs_…`).',
    'Written from `src/observability/metrics/` by `npm run docs`; do not edit.',
    '',
    ...(await Promise.all(SECTIONS.map(section))).flat(),
  ].join('\n');
}
