/**
 * `npm run bench -- [name …] [--quick] [--large] [--rows n] [--data folder] [--check] [--json]`: measures on this
 * machine and prints the figures; without a name all. Rounds of what is compared take turns, so that a machine whose
 * speed drifts changes both; a figure is the median of its rounds, with the least and the most.
 */
import { cpus } from 'node:os';
import { Command } from 'commander';
import type { Benchmark, Outcome } from './benchmark.ts';
import { BENCHMARKS } from './benchmarks.ts';
import { collapsed } from './kept-ratios.ts';
import { startBenchServers } from './support/servers.ts';
import { summarise } from './support/statistics.ts';

function shown(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en');
  return Number(value.toPrecision(3)).toString();
}

function line(name: string, values: readonly number[], unit: string, goal = ''): string {
  const { median, min, max } = summarise(values);
  const spread = values.length > 1 ? ` (${shown(min)}–${shown(max)})` : '';
  return `  ${name.padEnd(58)} ${shown(median).padStart(10)}${spread} ${unit}${goal === '' ? '' : `  [${goal}]`}`;
}

function report({ name, what }: Benchmark, { figures, ratios = [], notes = [] }: Outcome): string {
  return [
    `\n${name}: ${what}`,
    ...figures.map((figure) => line(figure.name, figure.values, figure.unit)),
    ...ratios.map((ratio) => line(ratio.name, ratio.values, '×', ratio.goal)),
    ...notes.map((note) => `  ${note}`),
  ].join('\n');
}

const command = new Command('npm run bench --')
  .description('Measures Odograph on this machine.')
  .argument('[names...]', `some of: ${BENCHMARKS.map(({ name }) => name).join(', ')}`)
  .option('--quick', 'fewer and shorter rounds, to see that it works', false)
  .option('--large', 'sizes that take hours and tens of gigabytes of disk too', false)
  .option('--rows <millions>', 'rows of history for questions, in the place of 1, or of 100 with --large', Number)
  .option('--check', 'fail when a ratio is less than half as good as the one that is kept', false)
  .option('--data <folder>', 'keep large databases in this folder for the next run')
  .option('--json', 'figures as JSON on the standard output', false)
  .parse();
type Flags = Readonly<Record<'quick' | 'large' | 'check' | 'json', boolean>>;
interface Values {
  readonly data?: string;
  readonly rows?: number;
}
const { quick, large, check, json, data, rows } = command.opts<Flags & Values>();
if (rows !== undefined && !(rows > 0)) command.error(`--rows: expected millions, got ${rows}`);
const unknown = command.args.filter((name) => !BENCHMARKS.some((one) => one.name === name));
if (unknown.length > 0) command.error(`no such benchmark: ${unknown.join(', ')}; see --help`);

const MILLION = 1_000_000;
const say = (text: string): void => { process.stderr.write(`${text}\n`); };
const servers = await startBenchServers(data);
for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
  // What else was started ends with this process.
  process.once(signal, () => void servers.stop().finally(() => process.exit(code)));
}
const size = rows === undefined ? {} : { rows: rows * MILLION };
const results: Record<string, Outcome> = {};
try {
  say(`Node.js ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}; ${servers.description}`);
  for (const benchmark of BENCHMARKS) {
    if (command.args.length > 0 && !command.args.includes(benchmark.name)) continue;
    say(`${benchmark.name} …`);
    const outcome = await benchmark.run({ servers, quick, large, say, ...size });
    results[benchmark.name] = outcome;
    if (!json) process.stdout.write(`${report(benchmark, outcome)}\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
} finally {
  await servers.stop();
}
const collapses = check ? collapsed(results) : [];
for (const text of collapses) say(`collapsed: ${text}`);
process.exit(collapses.length > 0 ? 1 : 0);
