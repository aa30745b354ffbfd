/** What the planner makes of a series: it has to think about the days of the range, however many others there are. */
import { expect, test } from 'vitest';
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

test.each(STORAGES.flatMap((storage) => (['minutes', 'hours'] as const).map((source) => [source, storage] as const)))(
  'a day out of %s is planned for one day of positions, with %s', async (source, storage) => {
    const { pool } = await openPrepared(storage);
    const id = (await addDevices(pool, 'A')).get('A') ?? 0;
    const days = Array.from({ length: DAYS }, (_, day) => ({ ts: BEGIN + day * DAY_MS }));
    await addPositions(pool, id, days);
    const { text, values } = oneDay(source, id);
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, [...values]);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    const found = new Set(plan.match(/\bpositions_p\d+\b|\b_hyper_1_\d+_chunk\b/g));
    expect([...found], plan).toHaveLength(1);
  });
