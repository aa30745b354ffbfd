/**
 * The SQL of a series, over the records or over their rollups. Pure. What is asked goes into parameters; the text of
 * the statement is made of the constants of this folder alone.
 *
 * A row of the result is a key, a bucket, and the aggregates of each measure in the order in which they were asked. The
 * key is the device's number, the index of the group, or 0 for all devices together.
 */
import { sqlTime } from '../../db/sql-time.ts';
import type { Buckets } from '../calendar/buckets.ts';
import type { Statement } from '../statement-values.ts';
import { StatementValues } from '../statement-values.ts';
import type { Aggregate } from './aggregates.ts';
import { PERCENTILES, isPercentile } from './aggregates.ts';
import { asDouble, attributeNumber } from './attribute-number.ts';
import type { Measure } from './names.ts';
import type { Source } from './routing.ts';

/** Whose records, and what comes together in one series. `ids` null: all devices. */
export type Subjects =
  | { readonly by: 'device' | 'all'; readonly ids: readonly string[] | null }
  | {
    readonly by: 'group';
    readonly ids: readonly string[];
    /** A device and the index of one of its groups. */
    readonly pairs: readonly { readonly id: string; readonly key: number }[];
  };

export interface SeriesStatement {
  readonly source: Source;
  readonly subjects: Subjects;
  readonly buckets: Buckets;
  readonly measures: readonly Measure[];
  readonly aggregates: readonly Aggregate[];
}

/** Answers that are the same as those of the records, whatever is rolled up already. */
const FUNCTIONS = { minutes: 'position_minutes_between', hours: 'position_hours_between' } as const;

/** The bucket in which the time of a row lies, from 0. */
function bucketIndex({ step, starts, from }: Buckets, time: string, values: StatementValues): string {
  if (step.kind === 'calendar') {
    return `width_bucket(t.${time}, ${values.bind(starts.map(sqlTime), 'timestamptz[]')}) - 1`;
  }
  const [stride, origin] = [`${step.ms} milliseconds`, sqlTime(from)];
  const start = `date_bin(${values.bind(stride, 'interval')}, t.${time}, ${values.bind(origin, 'timestamptz')})`;
  return `((date_part('epoch', ${start}) * 1000 - ${values.bind(from, 'float8')}) / ${values.bind(step.ms, 'float8')})::int`;
}

/** The columns of the inner query that the aggregates of measure `index` are made of. */
function rawInputs(measure: Measure, index: number, values: StatementValues): string[] {
  if (measure.kind === 'field') return [`t.${measure.name}::float8 as v${index}`];
  return [`${attributeNumber(`t.attributes -> ${values.bind(measure.name, 'text')}`)} as v${index}`];
}

const PARTS = ['count', 'sum', 'min', 'max', 'first', 'last'] as const;

function rollupInputs(measure: Measure, index: number, values: StatementValues): string[] {
  if (measure.kind === 'attribute') {
    const name = values.bind(measure.name, 'text');
    return PARTS.map((part) => `rollup_${part}(t.attributes -> ${name}) as ${part}${index}`);
  }
  const isCoordinate = measure.name === 'latitude' || measure.name === 'longitude';
  const parts = isCoordinate ? PARTS.filter((part) => part === 'first' || part === 'last') : PARTS;
  return parts.map((part) => `t.${measure.name}_${part}::float8 as ${part}${index}`);
}

/** Attributes are `numeric` up to here, since their sums may be greater than a double. */
function double(measure: Measure, expression: string): string {
  return measure.kind === 'attribute' ? asDouble(expression) : expression;
}

/** Ordered by time without sorting: arrays compare element by element, and the last element is the value. */
function edge(which: 'first' | 'last', measure: Measure, order: string, value: string): string {
  const pick = which === 'first' ? 'min' : 'max';
  const elements = `${order}, ${double(measure, value)}`;
  return `(${pick}(array[${elements}]) filter (where ${value} is not null))[${order.split(',').length + 1}]`;
}

function overRaw(aggregate: Aggregate, measure: Measure, index: number): string {
  const value = `v${index}`;
  if (isPercentile(aggregate)) {
    return `percentile_cont(${PERCENTILES[aggregate]}) within group (order by ${double(measure, value)})`;
  }
  if (aggregate === 'first' || aggregate === 'last') return edge(aggregate, measure, 'at, event_id, device_id', value);
  return aggregate === 'count' ? `count(${value})` : double(measure, `${aggregate}(${value})`);
}

function overRollups(aggregate: Aggregate, measure: Measure, index: number): string {
  switch (aggregate) {
    case 'avg':
      return double(measure, `sum(sum${index}) / nullif(sum(count${index}), 0)`);
    case 'count':
      return `coalesce(sum(count${index}), 0)`;
    case 'first':
    case 'last':
      return edge(aggregate, measure, 'at', `${aggregate}${index}`);
    default:
      return double(measure, `${aggregate}(${aggregate}${index})`);
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

/** The rows that count, before it is said which columns of them. */
function fromClause({ subjects, source, buckets }: SeriesStatement, values: StatementValues): string {
  const ids = values.bind(subjects.ids, 'bigint[]');
  const [from, to] = [buckets.from, buckets.to].map((ms) => values.bind(sqlTime(ms), 'timestamptz'));
  const ofDevices = `(${ids} is null or p.device_id = any(${ids}))`;
  const rows = source === 'raw'
    ? `(select * from positions p where ${ofDevices} and p.ts >= ${from} and p.ts < ${to}) t`
    : `${FUNCTIONS[source]}(${ids}, ${from}, ${to}) t`;
  if (subjects.by !== 'group') return rows;
  const members = values.bind(subjects.pairs.map(({ id }) => id), 'bigint[]');
  const keys = values.bind(subjects.pairs.map(({ key }) => key), 'int[]');
  return `${rows} join unnest(${members}, ${keys}) as k(device_id, key) on k.device_id = t.device_id`;
}

/** The rows that count, each with its key, its bucket and its values: worked out once, whatever is made of them. */
function inner(statement: SeriesStatement, values: StatementValues): string {
  const { source, subjects, buckets, measures } = statement;
  const time = source === 'raw' ? 'ts' : 'bucket';
  const inputs = measures.flatMap((measure, index) => (source === 'raw' ? rawInputs : rollupInputs)(measure, index, values));
  const order = source === 'raw' ? ['t.event_id::float8 as event_id', 't.device_id::float8 as device_id'] : [];
  const columns = [
    `${keyOf(subjects)} as key`, `${bucketIndex(buckets, time, values)} as bucket`,
    `date_part('epoch', t.${time}) as at`, ...order, ...inputs,
  ];
  return `select ${columns.join(', ')} from ${fromClause(statement, values)} offset 0`;
}

export function seriesSql(statement: SeriesStatement): Statement {
  const { source, measures, aggregates } = statement;
  const values = new StatementValues();
  const over = source === 'raw' ? overRaw : overRollups;
  const outputs = measures.flatMap((measure, index) => aggregates.map((aggregate) => over(aggregate, measure, index)));
  const from = inner(statement, values);
  const text = `select key, bucket, ${outputs.join(', ')} from (${from}) rows group by key, bucket order by key, bucket`;
  return { text, values: values.list };
}
