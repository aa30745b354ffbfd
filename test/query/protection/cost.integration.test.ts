/** What questions cost as it is estimated, over a real PostgreSQL, and what is refused that meets the present hour. */
import type { Pool } from 'pg';
import { expect, test } from 'vitest';
import type { Answering } from '../../../src/query/database.ts';
import { CostLimit } from '../../../src/query/protection/cost.ts';
import type { Cost, Reading } from '../../../src/query/protection/cost.ts';
import { HOUR_MS, MINUTE_MS, hourBefore, round, row, write } from '../../core/rollups/support.ts';
import { SCHEMA_SETTINGS } from '../../db/fixture.ts';
import type { TestApi } from '../support.ts';
import { STORAGES, addDevices, openPrepared, refreshStates, refusal, startApi } from '../support.ts';

const SECOND_MS = 1_000;
const MAX_ROWS = 1_000;
/** Whole hours, some of them rolled up, the last of them not over. */
const HOURS = 5;

interface Fleet {
  readonly api: TestApi;
  readonly id: number;
  readonly pool: Pool;
  readonly begin: number;
  readonly end: number;
  estimate(reading: Omit<Reading, 'devices'>): Promise<Cost>;
  /** One round of the processor. @returns up to when all is rolled up */
  rollUp(): Promise<number>;
}

/** A device with a record each second for some hours up to now, nothing of it rolled up. */
async function openFleet(storage: (typeof STORAGES)[number]): Promise<Fleet> {
  const site = await openPrepared(storage);
  const { pool } = site;
  const id = (await addDevices(pool, 'A')).get('A') ?? 0;
  const [begin, end] = [hourBefore(HOURS), Date.now()];
  await pool.query(`insert into positions (device_id, ts, received_at, speed, valid)
    select $1, t, t, 50, true from generate_series($2::timestamptz, $3, '1 second') t`, [id, new Date(begin), new Date(end)]);
  await refreshStates(pool);
  const database = {
    ask: async ({ text, values = [] }) => (await pool.query<never>(text, [...values])).rows,
  } as Pick<Answering, 'ask'> as Answering;
  const cost = new CostLimit(database, MAX_ROWS, () => undefined);
  return {
    api: await startApi(site, { overrides: { QUERY_MAX_ROWS: String(MAX_ROWS) } }), id, pool, begin, end,
    estimate: (reading) => cost.estimate({ devices: { kind: 'only', ids: [String(id)] }, ...reading }, AbortSignal.timeout(10_000)),
    async rollUp() {
      await round({ pool, url: site.postgresUrl, settings: SCHEMA_SETTINGS });
      const { rows: [state] } = await pool.query<{ until: number }>('select rolled_to as until from rollup_state');
      return state?.until ?? 0;
    },
  };
}

test.each(STORAGES)('of rollups the records that are not rolled up count as what they are, with %s', async (storage) => {
  const { estimate, rollUp, begin, end, id, pool } = await openFleet(storage);
  const range = { from: begin, to: hourBefore(-1) };
  const all = (end - begin) / SECOND_MS;
  const expectNear = (actual: number, rows: number): void => { expect(Math.abs(actual - rows)).toBeLessThan(4); };
  const before = await estimate({ range, source: 'hours' });
  expectNear(before.rows, all);
  expectNear(before.unrolled, all);
  expect(before).toMatchObject({ hoursTo: null, minutesTo: null });
  const until = await rollUp();
  const present = (end - until) / SECOND_MS;
  const after = await estimate({ range, source: 'hours' });
  expectNear(after.unrolled, present);
  expectNear(after.rows - after.unrolled, HOURS);
  expect(after).toMatchObject({ hoursTo: until, minutesTo: until });
  const minutes = await estimate({ range, source: 'minutes' });
  expect(minutes.rows - minutes.unrolled).toBeLessThanOrEqual((HOURS + 1) * 60);
  expectNear((await estimate({ range, source: 'raw' })).rows, all);
  expect((await estimate({ range: { from: begin, to: until }, source: 'hours' })).unrolled).toBe(0);
  // A late record in two of the hours: they are read from the records until they are rolled up again.
  await write(pool, [row(id, begin + 1), row(id, begin + 2), row(id, begin + HOUR_MS + 1)]);
  expectNear((await estimate({ range: { from: begin, to: until }, source: 'hours' })).unrolled, 2 * HOUR_MS / SECOND_MS);
  await rollUp();
  expect((await estimate({ range: { from: begin, to: until }, source: 'hours' })).unrolled).toBe(0);
});

test.each(STORAGES)('of the open hour the minutes count that are rolled up, and the records since, with %s', async (storage) => {
  const { estimate, rollUp, begin, end, id, pool } = await openFleet(storage);
  const range = { from: begin, to: hourBefore(-1) };
  await rollUp();
  const hoursTo = await rollUp();
  for (const [at, source] of (['hours', 'minutes'] as const).entries()) {
    const { rows, unrolled, minutesTo } = await estimate({ range, source });
    expect(minutesTo).toBeGreaterThan(hoursTo);
    const open = (minutesTo! - hoursTo) / MINUTE_MS;
    const before = (hoursTo - begin) / (source === 'hours' ? HOUR_MS : MINUTE_MS);
    expect(Math.abs(unrolled - (end - minutesTo!) / SECOND_MS)).toBeLessThan(4);
    expect(rows - unrolled).toBeGreaterThanOrEqual(before + open - 1);
    // Of minutes the most that there may be is that of the whole range.
    expect(rows - unrolled).toBeLessThanOrEqual(source === 'hours' ? before + open + 2 : (range.to - begin) / MINUTE_MS + open);
    // A minute, whatever part of the hour is rolled up.
    await write(pool, [row(id, hoursTo + 1 + at), row(id, hoursTo + 11 + at)]);
    expect(Math.abs((await estimate({ range, source })).unrolled - unrolled - MINUTE_MS / SECOND_MS)).toBeLessThan(4);
    await pool.query('delete from rollup_marks');
  }
});

test('totals, and series of rollups, over more of the present than may be read are refused, and say how far back to go', async () => {
  const { api, rollUp, begin, pool, id } = await openFleet('partitions');
  const questions = ['/v1/totals?', '/v1/series?name=speed&by=all&step=PT1H&'];
  for (const question of questions) {
    expect(refusal(await api.ask(`${question}from=${begin}`))).toMatchObject({ status: 422, code: 'too_expensive' });
  }
  const until = await rollUp();
  for (const question of questions) {
    expect((await api.ask(`${question}from=${begin}&to=${until}`)).status).toBe(200);
  }
  // Fifty a second since then, whatever minute it is.
  await pool.query(`insert into positions (device_id, ts, event_id, received_at, speed, valid)
    select $1, t, e, t, 50, true from generate_series($2::timestamptz, now(), '1 second') t, generate_series(1, 50) e`, [id, new Date(until)]);
  await pool.query('delete from device_state');
  await refreshStates(pool);
  const refused = await api.ask(`/v1/totals?from=${begin}&to=${until + 2 * HOUR_MS}`);
  expect(refusal(refused)).toMatchObject({ status: 422, code: 'too_expensive' });
  expect((refused.json as { detail: string }).detail).toMatch(new RegExp(
    `^this would read [\\d,]+ rows \\([\\d,]+ of them records that are not rolled up yet; all before ${new Date(until).toISOString()} is, but for late records\\), and 1,000 is the most; narrow the range, or ask for fewer devices$`));
});
