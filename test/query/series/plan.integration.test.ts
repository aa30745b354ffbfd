/** What the planner makes of a series: it has to think about the days of the range, however many others there are. */
import type { Pool } from 'pg';
import { expect, test } from 'vitest';
import { ensureRollupPartitions } from '../../../src/db/rollup-tables.ts';
import { cutIntoBuckets } from '../../../src/query/calendar/buckets.ts';
import { measureOf } from '../../../src/query/series/names.ts';
import type { Source } from '../../../src/query/series/routing.ts';
import { seriesSql } from '../../../src/query/series/series-sql.ts';
import { STORAGES, addDevices, addPositions, openPrepared } from '../support.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Native partitions are made for today and some days ahead. */
const BEGIN = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const DAYS = 8;

/** Tomorrow, by hour. */
function oneDay(source: Source, id: number) {
  const range = { from: BEGIN + DAY_MS, to: BEGIN + 2 * DAY_MS };
  return seriesSql({
    source, subjects: { by: 'device', ids: [String(id)] },
    buckets: cutIntoBuckets(range, { kind: 'fixed', ms: HOUR_MS }, 'UTC', 24),
    measures: [measureOf('speed'), measureOf('power')], aggregates: ['avg'],
  });
}

/** Of tomorrow, and of each of the three years before. */
async function addRollups(pool: Pool, table: 'minute_rollups' | 'hour_rollups', id: number): Promise<void> {
  const buckets = [BEGIN + DAY_MS, ...[1, 2, 3].map((years) => BEGIN - years * 366 * DAY_MS)];
  const client = await pool.connect();
  await ensureRollupPartitions(client, table, buckets);
  client.release();
  await pool.query(
    `insert into ${table} (device_id, bucket, records, speed_count, altitude_count, hdop_count, satellites_count, attributes)
     select $1, bucket, 1, 0, 0, 0, 0, '{}' from unnest($2::timestamptz[]) bucket`,
    [id, buckets.map((bucket) => new Date(bucket).toISOString())]);
}

test.each(STORAGES.flatMap((storage) => (['minutes', 'hours'] as const).map((source) => [source, storage] as const)))(
  'a day out of %s is planned for one day of positions, with %s', async (source, storage) => {
    const { pool } = await openPrepared(storage);
    const id = (await addDevices(pool, 'A')).get('A') ?? 0;
    const days = Array.from({ length: DAYS }, (_, day) => ({ ts: BEGIN + day * DAY_MS }));
    await addPositions(pool, id, days);
    await addRollups(pool, `${source === 'minutes' ? 'minute' : 'hour'}_rollups`, id);
    const { text, values } = oneDay(source, id);
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, [...values]);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    const found = new Set(plan.match(/\bpositions_p\d+\b|\b_hyper_1_\d+_chunk\b/g));
    expect([...found], plan).toHaveLength(1);
    const rollups = new Set(plan.match(/\b(?:minute|hour)_rollups_p\d+\b|\b_hyper_[2-9]_\d+_chunk\b/g));
    expect([...rollups], plan).toHaveLength(1);
  });
