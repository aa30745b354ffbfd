/** Trials as text: a line while they run, and the table at the end, as Markdown. */
import type { Trial } from './trial.ts';

const MIB = 1024 * 1024;

function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(1);
}

function recovery({ recoveriesMs }: Trial): string {
  if (recoveriesMs.length === 0) return '–';
  const sorted = recoveriesMs.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return sorted.length === 1 ? seconds(median) : `${seconds(median)} (${seconds(sorted.at(-1) ?? 0)})`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

/** How it went; what is wrong follows, a line each. */
export function line(trial: Trial): string {
  const { fault, acknowledged, problems } = trial;
  const result = problems.length === 0 ? 'ok    ' : 'FAILED';
  const took = `recovered after ${recovery(trial)} s, ${trial.seconds.toFixed(0)} s in all`;
  const first = `  ${result} ${fault.name.padEnd(48)} ${count(acknowledged).padStart(8)} acknowledged, ${took}`;
  return [first, ...problems.map((problem) => `           ${problem}`)].join('\n');
}

const HEADER = [
  'fault', 'times', 'acknowledged', 'lost', 'duplicated', 'dead-lettered', 'recovered after, s', 'most memory, MiB',
];

function cells(trial: Trial): string[] {
  const { fault, injected, acknowledged, lost, duplicated, deadLettered, peakBytes } = trial;
  return [
    fault.name, String(injected), count(acknowledged), count(lost), count(duplicated), count(deadLettered),
    recovery(trial), String(Math.round(peakBytes / MIB)),
  ];
}

function totals(trials: readonly Trial[]): string[] {
  const sum = (of: (trial: Trial) => number): string => count(trials.reduce((all, trial) => all + of(trial), 0));
  return [
    '**all**', sum(({ injected }) => injected), sum(({ acknowledged }) => acknowledged), sum(({ lost }) => lost),
    sum(({ duplicated }) => duplicated), sum(({ deadLettered }) => deadLettered), '', '',
  ];
}

/** A Markdown table whose columns are aligned. */
export function table(trials: readonly Trial[]): string {
  const rows = [HEADER, ...trials.map(cells), totals(trials)];
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const align = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  const [header = '', ...body] = rows.map((row) => `| ${row.map(align).join(' | ')} |`);
  const rule = widths.map((width, column) => '-'.repeat(width - 1) + (column === 0 ? '-' : ':'));
  return [header, `| ${rule.join(' | ')} |`, ...body].join('\n');
}
