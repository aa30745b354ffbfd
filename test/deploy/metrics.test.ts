/** Alert rules, dashboard and documents name only metrics that exist, with labels that they have. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Registry } from 'prom-client';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRegistry } from '../../src/observability/metrics/registry.ts';
import { readJson, readText, readYaml, REPOSITORY } from './files.ts';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly runbook: string };
}

interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const METRICS_FOLDER = 'src/observability/metrics';
const NAME = /\b(?:odograph|processor|process|nodejs)_[a-z0-9_]+/g;

/** Metric name as it is queried → its labels. */
async function registered(): Promise<Map<string, Set<string>>> {
  const registry = createRegistry();
  for (const file of await readdir(join(REPOSITORY, METRICS_FOLDER))) {
    const module = (await import(join(REPOSITORY, METRICS_FOLDER, file))) as Record<string, unknown>;
    for (const [name, create] of Object.entries(module)) {
      if (/^create\w+Metrics$/.test(name)) (create as (registry: Registry) => unknown)(registry);
    }
  }
  const names = new Map<string, Set<string>>();
  for (const metric of registry.getMetricsAsArray()) {
    const { labelNames } = metric as unknown as { labelNames: readonly string[] };
    const labels = [...labelNames, 'instance', 'job'];
    names.set(metric.name, new Set(labels));
    // Histograms are queried by their parts.
    for (const suffix of ['_bucket', '_sum', '_count']) {
      if (String(metric.type) === 'histogram') names.set(metric.name + suffix, new Set([...labels, 'le']));
    }
  }
  return names;
}

/** What is wrong with an expression, one line each. */
function problems(expression: string, names: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const used = expression.match(NAME) ?? [];
  const unknown = used.filter((name) => !names.has(name)).map((name) => `no metric ${name}`);
  const all = new Set(used.flatMap((name) => [...(names.get(name) ?? [])]));
  const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list]) => list!.split(',').map((label) => label.trim()));
  const matched = [...expression.matchAll(/\b(\w+)\{([^}]*)\}/g)].flatMap(([, name, matchers]) =>
    [...matchers!.matchAll(/(\w+)\s*[=!]~?"/g)]
      .map(([, label]) => label!)
      .filter((label) => names.get(name!)?.has(label) === false)
      .map((label) => `${name} has no label ${label}`),
  );
  return [...unknown, ...matched, ...grouped.filter((label) => !all.has(label)).map((label) => `nothing has the label ${label}`)];
}

async function alerts(): Promise<Alert[]> {
  const { groups } = await readYaml<{ groups: { rules: Alert[] }[] }>('deploy/prometheus/odograph-alerts.yml');
  return groups.flatMap(({ rules }) => rules);
}

async function panels(): Promise<Panel[]> {
  const dashboard = await readJson<{ panels: Panel[] }>('deploy/grafana/odograph.json');
  return dashboard.panels.filter(({ targets }) => targets !== undefined);
}

const expressionsOf = ({ targets = [] }: Panel): string[] => targets.map(({ expr }) => expr);

describe('metrics', () => {
  let names: Map<string, Set<string>>;
  beforeAll(async () => {
    names = await registered();
  });

  it('finds a metric and a label that do not exist', () => {
    expect(problems('rate(odograph_nothing[5m])', names)).toEqual(['no metric odograph_nothing']);
    expect(problems('up{job="a"} and processor_consumer_lag{nolabel="a"}', names)).toHaveLength(1);
    expect(problems('sum by (nolabel) (processor_consumer_lag)', names)).toHaveLength(1);
  });

  it('of every alert rule exist', async () => {
    const found = await alerts();
    expect(found.length).toBeGreaterThan(10);
    expect(found.flatMap(({ expr }) => problems(expr.replace(/\bup\{[^}]*\}/, ''), names))).toEqual([]);
  });

  it('of every panel of the dashboard exist', async () => {
    const found = await panels();
    expect(found.length).toBeGreaterThan(20);
    expect(found.flatMap(expressionsOf).flatMap((expression) => problems(expression, names))).toEqual([]);
  });

  it('of our own are all on the dashboard', async () => {
    const shown = (await panels()).flatMap(expressionsOf).join('\n');
    const own = [...names.keys()].filter((name) => /^(odograph|processor)_/.test(name) && !/_(bucket|sum|count)$/.test(name));
    expect(own.filter((name) => !shown.includes(name))).toEqual([]);
  });

  it.each(['docs/operations.md', 'docs/architecture.md'])('of %s exist', async (path) => {
    const text = await readText(path);
    expect((text.match(NAME) ?? []).filter((name) => !names.has(name))).toEqual([]);
  });
});

interface Fault {
  readonly fault: string;
  readonly metrics: string;
  readonly alerts: string;
}

/** The rows of the table *What happens when …*. */
async function faults(): Promise<Fault[]> {
  const [, section = ''] = (await readText('docs/operations.md')).split('## What happens when …');
  const rows = section.split('\n## ')[0]!.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((row) => {
    const [, fault = '', , metrics = '', alertNames = ''] = row.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return { fault, metrics: metrics.replaceAll('\\|', '|'), alerts: alertNames };
  });
}

describe('the dashboard', () => {
  it('has a row for each station of a record, and a number for each panel', async () => {
    const { panels: all } = await readJson<{ panels: (Panel & { id: number; type: string })[] }>('deploy/grafana/odograph.json');
    const rows = all.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual(expect.arrayContaining(['Ingest', 'Stream', 'Core', 'Live', 'Processes']));
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });
});

describe('the table of faults', () => {
  it('names metrics and labels that exist, and in every row one at least', async () => {
    const names = await registered();
    const found = await faults();
    expect(found.length).toBeGreaterThan(15);
    expect(found.flatMap(({ metrics }) => problems(metrics, names))).toEqual([]);
    expect(found.filter(({ metrics }) => metrics.match(NAME) === null).map(({ fault }) => fault)).toEqual([]);
  });

  it('names alerts that exist, and in every row one at least, or none', async () => {
    const known = new Set((await alerts()).map(({ alert }) => alert));
    const named = (await faults()).map(({ fault, alerts: text }) => ({ fault, text, names: text.match(/\bOdograph\w+/g) ?? [] }));
    expect(named.flatMap(({ names }) => names).filter((name) => !known.has(name))).toEqual([]);
    expect(named.filter(({ names, text }) => names.length === 0 && text !== 'none').map(({ fault }) => fault)).toEqual([]);
  });
});

describe('an alert', () => {
  it('has a heading of the operations document as its runbook', async () => {
    const headings = [...(await readText('docs/operations.md')).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!.toLowerCase());
    const missing = (await alerts()).filter(({ annotations }) => !headings.includes(annotations.runbook.toLowerCase()));
    expect(missing.map(({ alert, annotations }) => `${alert}: ${annotations.runbook}`)).toEqual([]);
  });

  it('has a test of its own', async () => {
    const tests = await readText('deploy/prometheus/odograph-alerts.test.yml');
    expect((await alerts()).filter(({ alert }) => !tests.includes(`alertname="${alert}"`)).map(({ alert }) => alert)).toEqual([]);
  });
});

const run = promisify(execFile);

async function hasPromtool(): Promise<boolean> {
  return await run('promtool', ['--version']).then(() => true, () => false);
}

describe.skipIf(!(await hasPromtool()))('promtool (of the Debian package prometheus)', () => {
  const cwd = join(REPOSITORY, 'deploy/prometheus');

  it('accepts the scrape configuration', async () => {
    expect((await run('promtool', ['check', 'config', 'prometheus.yml'], { cwd })).stdout).toContain('SUCCESS');
  });

  it('passes the tests of the alert rules', async () => {
    const { stdout } = await run('promtool', ['test', 'rules', 'odograph-alerts.test.yml'], { cwd });
    expect(stdout).toContain('SUCCESS');
  });

  it('parses every expression of the dashboard', async () => {
    const expressions = (await panels()).flatMap(expressionsOf).map((expression) => expression.replaceAll('$__rate_interval', '5m'));
    const rules = expressions.map((expr, index) => ({ record: `panel:${index}`, expr }));
    const folder = await mkdtemp(join(tmpdir(), 'odograph-dashboard-'));
    await writeFile(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    const result = await run('promtool', ['check', 'rules', join(folder, 'rules.yml')]).finally(() => rm(folder, { recursive: true }));
    expect(result.stdout).toContain(`SUCCESS: ${rules.length} rules`);
  });
});
