/**
 * Trials as text: a line while they run, and the table at the end, as Markdown. A table is rows of cells, so that a
 * document's own can be read again and take the rows of another run.
 */
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

/** Cells in the order of the header; the first is the name of the fault. */
export type Row = readonly string[];

const TOTAL = '**all**';
/** Columns that are added up: from the times to the dead letters. */
const FIRST_SUM = 1;
const LAST_SUM = 5;

export function rowOf(trial: Trial): Row {
  const { fault, injected, acknowledged, lost, duplicated, deadLettered, peakBytes } = trial;
  return [
    fault.name, String(injected), count(acknowledged), count(lost), count(duplicated), count(deadLettered),
    recovery(trial), String(Math.round(peakBytes / MIB)),
  ];
}

/** The rows of a table that `table` has made, without its header and its sums. */
export function rowsIn(text: string): Row[] {
  const lines = text.split('\n').filter((one) => one.startsWith('| '));
  const rows = lines.map((one) => one.slice(1, -1).split('|').map((cell) => cell.trim()));
  return rows.filter(([name = '']) => name !== HEADER[0] && name !== TOTAL && !/^-+$/.test(name));
}

function totals(rows: readonly Row[]): Row {
  const sum = (column: number): number =>
    rows.reduce((all, row) => all + Number((row[column] ?? '').replaceAll(',', '')), 0);
  return HEADER.map((_, column) => {
    if (column === 0) return TOTAL;
    return column >= FIRST_SUM && column <= LAST_SUM ? count(sum(column)) : '';
  });
}

/** A Markdown table whose columns are aligned. */
export function table(content: readonly Row[]): string {
  const rows = [HEADER, ...content, totals(content)];
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const align = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  const [header = '', ...body] = rows.map((row) => `| ${row.map(align).join(' | ')} |`);
  const rule = widths.map((width, column) => '-'.repeat(width - 1) + (column === 0 ? '-' : ':'));
  return [header, `| ${rule.join(' | ')} |`, ...body].join('\n');
}
