/**
 * Rolls hours of trackers up: computes them from `positions` and stores them over what is there. Whoever does it twice
 * changes nothing. Nothing is deleted: hours whose positions are gone keep what they have.
 *
 * Errors: those of PostgreSQL; a batch is stored as a whole or not at all. After one the connection is for the caller
 * to close, which ends what was begun.
 */
import type { PoolClient } from 'pg';
import { ROLLUP_VALUES } from '../db/rollup-columns.ts';
import type { Kept } from '../db/rollup-retention.ts';
import { HOUR_MS } from '../db/rollup-retention.ts';
import { sqlTime } from '../db/sql-time.ts';
import { ensureRollupPartitions } from '../db/rollup-tables.ts';

export interface TouchedHour {
  readonly deviceId: number | bigint;
  /** Epoch milliseconds. */
  readonly hour: number;
}

/** Hours of trackers in one transaction: well below a minute for trackers that send every second. */
export const BATCH = 200;

/** `offset 0`: bounds that are plain values choose chunks and compressed batches, expressions do not. */
function storing(table: string, width: string): string {
  const replace = ROLLUP_VALUES.map((column) => `${column} = excluded.${column}`).join(', ');
  const columns = ['device_id', 'bucket', ...ROLLUP_VALUES];
  return `
    insert into ${table} (${columns.join(', ')})
    select ${columns.map((column) => `r.${column}`).join(', ')}
    from (
      select device_id, hour as begins, hour + interval '1 hour' as ends
      from unnest($1::bigint[], $2::timestamptz[]) as hours (device_id, hour) offset 0) as touched
    cross join lateral position_rollups_of('${width}', touched.device_id, begins, ends) as r
    on conflict (device_id, bucket) do update set ${replace}`;
}

const MINUTES = storing('minute_rollups', '1 minute');
const HOURS = storing('hour_rollups', '1 hour');
const UNMARK = `
  delete from rollup_marks m using unnest($1::bigint[], $2::timestamptz[]) as touched (device_id, hour)
  where m.device_id = touched.device_id and m.hour = touched.hour`;

function parameters(touched: readonly TouchedHour[]): [string[], string[]] {
  return [touched.map(({ deviceId }) => String(deviceId)), touched.map(({ hour }) => sqlTime(hour))];
}

async function store(client: PoolClient, statement: string, touched: readonly TouchedHour[]): Promise<void> {
  if (touched.length > 0) await client.query(statement, parameters(touched));
}

/**
 * @param touched no hour of a tracker twice
 * @param kept what is older is not stored
 */
export async function rollUp(client: PoolClient, touched: readonly TouchedHour[], kept: Kept): Promise<void> {
  const minutes = touched.filter(({ hour }) => hour >= kept.minutes);
  const hours = touched.filter(({ hour }) => hour >= kept.hours);
  await ensureRollupPartitions(client, 'minute_rollups', minutes.map(({ hour }) => hour));
  await ensureRollupPartitions(client, 'hour_rollups', hours.map(({ hour }) => hour));
  await client.query('begin isolation level read committed');
  // Before the records are read: the mark of a record that is read too late stays.
  await client.query(UNMARK, parameters(touched));
  await store(client, MINUTES, minutes);
  await store(client, HOURS, hours);
  await client.query('commit');
}

/** All trackers that have records in that hour. */
export async function activeIn(client: PoolClient, hour: number): Promise<TouchedHour[]> {
  const { rows } = await client.query<{ device_id: number | bigint }>(
    'select distinct device_id from positions where ts >= $1 and ts < $2 order by 1',
    [sqlTime(hour), sqlTime(hour + HOUR_MS)]);
  return rows.map(({ device_id: deviceId }) => ({ deviceId, hour }));
}
