/**
 * The SQL of a series, over the records or over their rollups. Pure. What is asked goes into parameters; the text of
 * the statement is made of the constants of this folder alone.
 *
 * A row of the result is a key, a bucket, and the aggregates of each measure in the order in which they were asked. The
 * key is the device's number, the index of the group, or 0 for all devices together.
 */
import { Parameters } from '../sql-parameters.ts';
import type { Buckets } from '../calendar/buckets.ts';
import type { Aggregate } from './aggregates.ts';
import { PERCENTILES, isPercentile } from './aggregates.ts';
import type { Measure } from './names.ts';
import type { Source } from './routing.ts';

/** Whose records, and what comes together in one series. `ids` null: all devices. */
export type Subjects =
  | { readonly by: 'device' | 'all'; readonly ids: readonly string[] | null }
  /** Pairs of a device and the index of one of its groups. */
  | { readonly by: 'group'; readonly ids: readonly string[]; readonly keys: readonly number[] };

export interface SeriesStatement {
  readonly source: Source;
  readonly subjects: Subjects;
  readonly buckets: Buckets;
  readonly measures: readonly Measure[];
  readonly aggregates: readonly Aggregate[];
}

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

const TABLES: Readonly<Record<Source, { readonly name: string; readonly time: string }>> = {
  raw: { name: 'positions', time: 'ts' },
  minutes: { name: 'position_minutes', time: 'bucket' },
  hours: { name: 'position_hours', time: 'bucket' },
};

const instant = (ms: number): string => new Date(ms).toISOString();

/** The bucket in which the time of a row lies, from 0. */
function bucketIndex({ step, starts, from }: Buckets, time: string, parameters: Parameters): string {
  if (step.kind === 'calendar') {
    return `width_bucket(t.${time}, ${parameters.add(starts.map(instant), 'timestamptz[]')}) - 1`;
  }
  const [stride, origin] = [`${step.ms} milliseconds`, instant(from)];
  const start = `date_bin(${parameters.add(stride, 'interval')}, t.${time}, ${parameters.add(origin, 'timestamptz')})`;
  return `((date_part('epoch', ${start}) * 1000 - ${parameters.add(from, 'float8')}) / ${parameters.add(step.ms, 'float8')})::int`;
}

/** The columns of the inner query that the aggregates of measure `index` are made of. */
function rawInputs(measure: Measure, index: number, parameters: Parameters): string[] {
  if (measure.kind === 'field') return [`t.${measure.name}::float8 as v${index}`];
  return [`numeric_attribute(t.attributes -> ${parameters.add(measure.name, 'text')}) as v${index}`];
}

const PARTS = ['count', 'sum', 'min', 'max', 'first', 'last'] as const;

function rollupInputs(measure: Measure, index: number, parameters: Parameters): string[] {
  if (measure.kind === 'attribute') {
    const name = parameters.add(measure.name, 'text');
    return PARTS.map((part, at) => `(t.attributes -> ${name} ->> ${at})::float8 as ${part}${index}`);
  }
  const isCoordinate = measure.name === 'latitude' || measure.name === 'longitude';
  const parts = isCoordinate ? PARTS.filter((part) => part === 'first' || part === 'last') : PARTS;
  return parts.map((part) => `t.${measure.name}_${part}::float8 as ${part}${index}`);
}

/** Ordered by time without sorting: arrays compare element by element, and the last element is the value. */
function edge(which: 'first' | 'last', order: string, value: string): string {
  const pick = which === 'first' ? 'min' : 'max';
  const elements = `${order}, ${value}`;
  return `(${pick}(array[${elements}]) filter (where ${value} is not null))[${elements.split(',').length}]`;
}

function overRaw(aggregate: Aggregate, index: number): string {
  const value = `v${index}`;
  if (isPercentile(aggregate)) return `percentile_cont(${PERCENTILES[aggregate]}) within group (order by ${value})`;
  if (aggregate === 'first' || aggregate === 'last') return edge(aggregate, 'at, event_id, device_id', value);
  return `${aggregate}(${value})`;
}

function overRollups(aggregate: Aggregate, index: number): string {
  switch (aggregate) {
    case 'avg':
      return `sum(sum${index}) / nullif(sum(count${index}), 0)`;
    case 'count':
      return `coalesce(sum(count${index}), 0)::float8`;
    case 'first':
    case 'last':
      return edge(aggregate, 'at', `${aggregate}${index}`);
    default:
      return `${aggregate}(${aggregate}${index})`;
  }
}

function keyOf(subjects: Subjects): string {
  switch (subjects.by) {
    case 'device':
      return 't.device_id';
    case 'group':
      return 'k.key';
    case 'all':
      return '0';
  }
}

function fromClause({ subjects, source }: SeriesStatement, parameters: Parameters): string {
  const table = `${TABLES[source].name} t`;
  if (subjects.by !== 'group') return table;
  const pairs = `unnest(${parameters.add(subjects.ids, 'bigint[]')}, ${parameters.add(subjects.keys, 'int[]')})`;
  return `${table} join ${pairs} as k(device_id, key) on k.device_id = t.device_id`;
}

/** The rows that count, each with its key, its bucket and its values: worked out once, whatever is made of them. */
function inner(statement: SeriesStatement, parameters: Parameters): string {
  const { source, subjects, buckets, measures } = statement;
  const { time } = TABLES[source];
  const inputs = measures.flatMap((measure, index) =>
    (source === 'raw' ? rawInputs : rollupInputs)(measure, index, parameters));
  const order = source === 'raw' ? ['t.event_id::float8 as event_id', 't.device_id::float8 as device_id'] : [];
  const columns = [
    `${keyOf(subjects)} as key`, `${bucketIndex(buckets, time, parameters)} as bucket`,
    `date_part('epoch', t.${time}) as at`, ...order, ...inputs,
  ];
  const conditions = [
    `t.${time} >= ${parameters.add(instant(buckets.from), 'timestamptz')}`,
    `t.${time} < ${parameters.add(instant(buckets.to), 'timestamptz')}`,
    ...(subjects.ids === null ? [] : [`t.device_id = any(${parameters.add(subjects.ids, 'bigint[]')})`]),
  ];
  return `select ${columns.join(', ')} from ${fromClause(statement, parameters)} where ${conditions.join(' and ')} offset 0`;
}

export function seriesSql(statement: SeriesStatement): Statement {
  const { source, measures, aggregates } = statement;
  const parameters = new Parameters();
  const over = source === 'raw' ? overRaw : overRollups;
  const outputs = measures.flatMap((_, index) => aggregates.map((aggregate) => over(aggregate, index)));
  const from = inner(statement, parameters);
  const text = `select key, bucket, ${outputs.join(', ')} from (${from}) rows group by key, bucket order by key, bucket`;
  return { text, values: parameters.values };
}
