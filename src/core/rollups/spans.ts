/**
 * Rolls spans of trackers up: reads their records in their order, summarises them here, and stores the rows. In SQL the
 * same took four times the CPU, nearly all of it for sorting attributes. Whoever does it twice changes nothing. Nothing
 * is deleted: spans whose positions are gone keep what they have.
 *
 * What does not fit into memory together, or into the time of a statement, is rolled up in parts, and a span that does
 * not fit into memory alone within PostgreSQL.
 *
 * Errors: those of PostgreSQL; each span is stored as a whole or not at all. After one the connection is for the caller
 * to close, which ends what was begun.
 */
import type { PoolClient } from 'pg';
import { ROLLUP_VALUES } from '../../db/rollup-columns.ts';
import type { Kept } from '../../db/rollup-retention.ts';
import type { RollupTable } from '../../db/rollup-tables.ts';
import { ensureRollupPartitions } from '../../db/rollup-tables.ts';
import { classify } from '../../db/sqlstate.ts';
import { copyIn } from '../copy-in.ts';
import type { Breaks } from './breaks.ts';
import { Buckets } from './buckets.ts';
import type { Span } from './records.ts';
import { readRecords, spanArrays } from './records.ts';

const COLUMNS = ['device_id', 'bucket', ...ROLLUP_VALUES].join(', ');
const REPLACE = ROLLUP_VALUES.map((column) => `${column} = excluded.${column}`).join(', ');

/** Of which marks begin within the spans. */
export type Marked = 'hour' | 'minute';

const unmark = (marked: Marked): string => `
  delete from rollup_marks m
  using unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) as touched (device_id, begins, ends)
  where m.device_id = touched.device_id and m.hour > touched.begins - interval '1 hour' and m.hour < touched.ends
    and m.${marked} >= touched.begins and m.${marked} < touched.ends`;

export interface Task {
  /** What is older is not stored; Infinity: nothing is, of this level. */
  readonly kept: Pick<Kept, 'minutes' | 'hours'>;
  /** The marks that are done with. */
  readonly marked: Marked;
  /** Nothing of these spans is stored, most likely. */
  readonly isNew: boolean;
  readonly breaks: Breaks;
}

/** For what is stored for the first time. */
async function storeNew(client: PoolClient, table: string, rows: Buffer): Promise<void> {
  await copyIn(client, `${table} (${COLUMNS})`, rows);
}

/** Over what is there. @param from what follows FROM */
export async function replaceBy(
  client: PoolClient, table: RollupTable, from: string, values: readonly unknown[] = [],
): Promise<void> {
  await client.query(
    `insert into ${table} (${COLUMNS}) select ${COLUMNS} from ${from}
     on conflict (device_id, bucket) do update set ${REPLACE}`, [...values]);
}

async function replace(client: PoolClient, table: RollupTable, rows: Buffer): Promise<void> {
  await client.query(`create temporary table if not exists staged_${table} (like ${table}) on commit delete rows`);
  await storeNew(client, `staged_${table}`, rows);
  await replaceBy(client, table, `staged_${table}`);
}

/** The same within PostgreSQL, which has room on its disk. */
async function rollUpInSql(client: PoolClient, span: Span, { kept }: Task): Promise<void> {
  const rollups = (width: string): string => `position_rollups('${width}', $1::bigint[], $2::timestamptz, $3::timestamptz)`;
  const [ids, [from], [to]] = spanArrays([span]);
  if (span.from >= kept.minutes) await replaceBy(client, 'minute_rollups', rollups('1 minute'), [ids, from, to]);
  if (span.from >= kept.hours) await replaceBy(client, 'hour_rollups', rollups('1 hour'), [ids, from, to]);
}

/** @returns false: it is more than fits into memory; nothing is stored, and the transaction is to be ended */
async function inTransaction(client: PoolClient, spans: readonly Span[], task: Task): Promise<boolean> {
  await client.query('begin isolation level read committed');
  // Before the records are read: the mark of a record that is read too late stays.
  await client.query(unmark(task.marked), spanArrays(spans));
  const buckets = new Buckets(task.kept);
  const wanted = spans.filter(({ from }) => from >= Math.min(task.kept.minutes, task.kept.hours));
  if (wanted.length > 0) await readRecords(client, wanted, task.breaks, buckets.take);
  if (buckets.areFull && spans.length > 1) return false;
  if (buckets.areFull) for (const one of spans) await rollUpInSql(client, one, task);
  else {
    const store = task.isNew ? storeNew : replace;
    const { minutes, hours } = buckets.finish();
    await store(client, 'minute_rollups', minutes);
    if (task.kept.hours < Infinity) await store(client, 'hour_rollups', hours);
  }
  await client.query('commit');
  return true;
}

/** @returns false: it is more than there is room or time for, and nothing is stored */
async function attempt(client: PoolClient, spans: readonly Span[], task: Task): Promise<boolean> {
  try {
    if (await inTransaction(client, spans, task)) return true;
  } catch (error) {
    if (spans.length === 1 || classify(error).action !== 'shrink') throw error;
  }
  await client.query('rollback');
  return false;
}

async function storeOrHalve(client: PoolClient, spans: readonly Span[], task: Task): Promise<void> {
  if (await attempt(client, spans, task)) return;
  const middle = Math.ceil(spans.length / 2);
  for (const half of [spans.slice(0, middle), spans.slice(middle)]) await storeOrHalve(client, half, task);
}

/** @param spans of a tracker none that overlap; of hours each a whole one */
export async function rollUpSpans(client: PoolClient, spans: readonly Span[], task: Task): Promise<void> {
  const since = (from: number): number[] => spans.map((span) => span.from).filter((start) => start >= from);
  await ensureRollupPartitions(client, 'minute_rollups', since(task.kept.minutes));
  await ensureRollupPartitions(client, 'hour_rollups', since(task.kept.hours));
  try {
    await storeOrHalve(client, spans, task);
  } catch (error) {
    if (!task.isNew || classify(error).action !== 'conflict') throw error;
    // A round before this one was cut off.
    await client.query('rollback');
    await storeOrHalve(client, spans, { ...task, isNew: false });
  }
}
