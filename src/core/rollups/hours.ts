/**
 * Rolls hours of trackers up, and their minutes with them: from their records, or from their minutes where all of
 * those are stored. Whoever does it twice changes nothing. Errors: as of `spans.ts`.
 */
import type { PoolClient } from 'pg';
import type { Kept } from '../../db/rollup-retention.ts';
import { HOUR_MS } from '../../db/rollup-retention.ts';
import { ensureRollupPartitions } from '../../db/rollup-tables.ts';
import { sqlTime } from '../../db/sql-time.ts';
import { NO_BREAKS } from './breaks.ts';
import { replaceBy, rollUpSpans } from './spans.ts';

/** Hours of trackers in one transaction. */
export const BATCH = 100;

/** An hour of a tracker; `hour` is its beginning, epoch milliseconds. */
export interface TouchedHour {
  readonly deviceId: number | bigint;
  readonly hour: number;
}

/**
 * From the records.
 * @param touched no hour of a tracker twice
 * @param kept what is older is not stored
 * @param isNew nothing of these hours is stored, most likely
 */
export async function rollUp(
  client: PoolClient, touched: readonly TouchedHour[], kept: Kept, isNew: boolean,
): Promise<void> {
  const spans = touched.map(({ deviceId, hour }) => ({ deviceId, from: hour, to: hour + HOUR_MS }));
  await rollUpSpans(client, spans, { kept, marked: 'hour', isNew, breaks: NO_BREAKS });
}

/** From the minutes, which costs the same however many records an hour has. @param touched of one hour that is open */
export async function sumUp(client: PoolClient, touched: readonly TouchedHour[]): Promise<void> {
  const hour = touched[0]?.hour;
  if (hour === undefined) return;
  await ensureRollupPartitions(client, 'hour_rollups', [hour]);
  const ids = touched.map(({ deviceId }) => String(deviceId));
  await replaceBy(client, 'hour_rollups', 'open_hours($1::bigint[], $2::timestamptz, $3::timestamptz)', [
    ids, sqlTime(hour), sqlTime(hour + HOUR_MS)]);
}

/** What has a row for each tracker that is active at a time. */
const SOURCES = { records: { table: 'positions', time: 'ts' }, minutes: { table: 'minute_rollups', time: 'bucket' } } as const;

/** All trackers that have records from `from` to before `to`, or minutes. */
export async function trackersBetween(
  client: PoolClient, source: keyof typeof SOURCES, from: number, to: number,
): Promise<(number | bigint)[]> {
  const { table, time } = SOURCES[source];
  const { rows } = await client.query<{ device_id: number | bigint }>(
    `select distinct device_id from ${table} where ${time} >= $1 and ${time} < $2 order by 1`, [from, to].map(sqlTime));
  return rows.map(({ device_id: deviceId }) => deviceId);
}

/** All trackers that have records in that hour, or minutes. */
export async function activeIn(
  client: PoolClient, hour: number, source: keyof typeof SOURCES = 'records',
): Promise<TouchedHour[]> {
  const trackers = await trackersBetween(client, source, hour, hour + HOUR_MS);
  return trackers.map((deviceId) => ({ deviceId, hour }));
}
