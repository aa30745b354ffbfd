/**
 * Rolls hours of trackers up: reads their records in their order, summarises them here, and stores the rows. In SQL the
 * same took four times the CPU, nearly all of it for sorting attributes. Whoever does it twice changes nothing. Nothing
 * is deleted: hours whose positions are gone keep what they have.
 *
 * What does not fit into memory together is rolled up in parts, and an hour that does not fit alone within PostgreSQL.
 *
 * Errors: those of PostgreSQL; each hour is stored as a whole or not at all. After one the connection is for the caller
 * to close, which ends what was begun.
 */
import type { PoolClient } from 'pg';
import { ROLLUP_VALUES } from '../../db/rollup-columns.ts';
import type { Kept } from '../../db/rollup-retention.ts';
import { HOUR_MS } from '../../db/rollup-retention.ts';
import { sqlTime } from '../../db/sql-time.ts';
import { ensureRollupPartitions } from '../../db/rollup-tables.ts';
import { classify } from '../../db/sqlstate.ts';
import { copyIn } from '../copy-in.ts';
import { Buckets } from './buckets.ts';
import type { TouchedHour } from './records.ts';
import { readRecords } from './records.ts';

/** Hours of trackers in one transaction. */
export const BATCH = 100;

type Table = 'minute_rollups' | 'hour_rollups';

const COLUMNS = ['device_id', 'bucket', ...ROLLUP_VALUES].join(', ');
const REPLACE = ROLLUP_VALUES.map((column) => `${column} = excluded.${column}`).join(', ');

const UNMARK = `
  delete from rollup_marks m using unnest($1::bigint[], $2::timestamptz[]) as touched (device_id, hour)
  where m.device_id = touched.device_id and m.hour = touched.hour`;

function parameters(touched: readonly TouchedHour[]): [string[], string[]] {
  return [touched.map(({ deviceId }) => String(deviceId)), touched.map(({ hour }) => sqlTime(hour))];
}

type Store = (client: PoolClient, table: Table, rows: Buffer) => Promise<void>;

/** For hours that are stored for the first time. */
async function storeNew(client: PoolClient, table: string, rows: Buffer): Promise<void> {
  await copyIn(client, `${table} (${COLUMNS})`, rows);
}

/** Over what is there. @param from what follows FROM */
async function replaceBy(
  client: PoolClient, table: Table, from: string, values: readonly string[] = [],
): Promise<void> {
  await client.query(
    `insert into ${table} (${COLUMNS}) select ${COLUMNS} from ${from}
     on conflict (device_id, bucket) do update set ${REPLACE}`, [...values]);
}

async function replace(client: PoolClient, table: Table, rows: Buffer): Promise<void> {
  await client.query(`create temporary table if not exists staged_${table} (like ${table}) on commit delete rows`);
  await storeNew(client, `staged_${table}`, rows);
  await replaceBy(client, table, `staged_${table}`);
}

/** The same within PostgreSQL, which has room on its disk: for one hour of a tracker. */
async function rollUpInSql(client: PoolClient, { deviceId, hour }: TouchedHour, kept: Kept): Promise<void> {
  const values = [String(deviceId), sqlTime(hour), sqlTime(hour + HOUR_MS)];
  const rollups = (width: string): string =>
    `position_rollups('${width}', array[$1::bigint], $2::timestamptz, $3::timestamptz)`;
  if (hour >= kept.minutes) await replaceBy(client, 'minute_rollups', rollups('1 minute'), values);
  if (hour >= kept.hours) await replaceBy(client, 'hour_rollups', rollups('1 hour'), values);
}

/** @returns false: it is more than fits into memory, and nothing is stored */
async function inTransaction(
  client: PoolClient, touched: readonly TouchedHour[], kept: Kept, store: Store,
): Promise<boolean> {
  await client.query('begin isolation level read committed');
  // Before the records are read: the mark of a record that is read too late stays.
  await client.query(UNMARK, parameters(touched));
  const buckets = new Buckets(kept);
  const wanted = touched.filter(({ hour }) => hour >= Math.min(kept.minutes, kept.hours));
  if (wanted.length > 0) await readRecords(client, wanted, buckets.take);
  if (buckets.areFull && touched.length > 1) {
    await client.query('rollback');
    return false;
  }
  if (buckets.areFull) for (const one of touched) await rollUpInSql(client, one, kept);
  else {
    const { minutes, hours } = buckets.finish();
    await store(client, 'minute_rollups', minutes);
    await store(client, 'hour_rollups', hours);
  }
  await client.query('commit');
  return true;
}

async function storeOrHalve(
  client: PoolClient, touched: readonly TouchedHour[], kept: Kept, store: Store,
): Promise<void> {
  if (await inTransaction(client, touched, kept, store)) return;
  const middle = Math.ceil(touched.length / 2);
  for (const half of [touched.slice(0, middle), touched.slice(middle)]) await storeOrHalve(client, half, kept, store);
}

/**
 * @param touched no hour of a tracker twice
 * @param kept what is older is not stored
 * @param isNew nothing of these hours is stored, most likely
 */
export async function rollUp(
  client: PoolClient, touched: readonly TouchedHour[], kept: Kept, isNew: boolean,
): Promise<void> {
  const hoursSince = (from: number): number[] => touched.map(({ hour }) => hour).filter((hour) => hour >= from);
  await ensureRollupPartitions(client, 'minute_rollups', hoursSince(kept.minutes));
  await ensureRollupPartitions(client, 'hour_rollups', hoursSince(kept.hours));
  try {
    await storeOrHalve(client, touched, kept, isNew ? storeNew : replace);
  } catch (error) {
    if (!isNew || classify(error).action !== 'conflict') throw error;
    // A round before this one was cut off.
    await client.query('rollback');
    await storeOrHalve(client, touched, kept, replace);
  }
}

/** All trackers that have records in that hour. */
export async function activeIn(client: PoolClient, hour: number): Promise<TouchedHour[]> {
  const { rows } = await client.query<{ device_id: number | bigint }>(
    'select distinct device_id from positions where ts >= $1 and ts < $2 order by 1',
    [sqlTime(hour), sqlTime(hour + HOUR_MS)]);
  return rows.map(({ device_id: deviceId }) => ({ deviceId, hour }));
}
