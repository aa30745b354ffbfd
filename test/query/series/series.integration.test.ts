/**
 * Series over HTTP, compared with the plainest computation over random records: every aggregate, every source, both
 * kinds of storage, while a part of the records is rolled up and a part is not.
 */
import { describe, expect, test } from 'vitest';
import type { PositionRow } from '../../../src/core/copy-rows.ts';
import type { Aggregate } from '../../../src/query/series/aggregates.ts';
import { AGGREGATES } from '../../../src/query/series/aggregates.ts';
import { HOUR_MS, hourBefore, openRollups, randomOf, randomRows, rolledUpTo, round, row, write } from '../../core/rollups/support.ts';
import { openRedis } from '../../core/support.ts';
import { createRedis } from '../../support/redis.ts';
import type { TestApi } from '../support.ts';
import { STORAGES, refreshStates, refusal, startApi } from '../support.ts';
import { buckets, samplesOf } from './naive-series.ts';

/** Those of `openRollups`. */
const DEVICES = ['1', '2', '3', '4'] as const;
const MINUTE_MS = 60_000;

interface Answer {
  readonly from: number;
  readonly to: number;
  readonly source: string;
  readonly step: string;
  readonly series: { deviceId?: string; groupId?: string; name: string; points: Record<string, number>[] }[];
}

async function openSeries(storage: string, rows: readonly PositionRow[]): Promise<{ api: TestApi; pool: TestApi['pool'] }> {
  const database = await openRollups(storage);
  // What is before is rolled up, by the rounds of the processor; what comes after is not yet.
  await rolledUpTo(database.pool, hourBefore(48));
  await write(database.pool, rows);
  await round(database);
  // The last hours as if they were not over: of them minutes are rolled up, but for the last ones.
  await database.pool.query('update rollup_state set rolled_to = $1', [new Date(hourBefore(4))]);
  await refreshStates(database.pool);
  const { url: redisUrl } = await createRedis();
  const api = await startApi({ redisUrl, redis: await openRedis(redisUrl), postgresUrl: database.url });
  return { api, pool: database.pool };
}

async function ask(api: TestApi, query: string): Promise<Answer> {
  const { status, json, text } = await api.ask(`/v1/series?${query}`);
  expect(status, text).toBe(200);
  return json as Answer;
}

/** Single precision and sums in another order differ in the last digits. */
const near = (value: number): unknown => {
  const tolerance = Math.abs(value) * 2e-6 + 1e-9;
  return { asymmetricMatch: (other: unknown) => typeof other === 'number' && Math.abs(other - value) <= tolerance, toString: () => String(value) };
};

function expected(rows: readonly PositionRow[], name: string, stepMs: number, which: readonly Aggregate[]): unknown[] {
  return buckets(samplesOf(rows, name), (ts) => Math.floor(ts / stepMs) * stepMs, which)
    .map(([ts, values]) => ({ ts, ...Object.fromEntries(which.map((one, at) => [one, near(values[at]!)])) }));
}

const FROM_ROLLUPS = AGGREGATES.filter((one) => !one.startsWith('p'));

describe.each(STORAGES)('with %s', (storage) => {
  test('every source gives what the records give, for every aggregate', async () => {
    const begin = hourBefore(30);
    const random = randomOf(7);
    const made = randomRows(random, 1_500, begin, 30 * HOUR_MS);
    const rows = [...new Map(made.map((one) => [`${one.deviceId}/${one.record.ts}/${one.record.eventId}`, one])).values()];
    const { api } = await openSeries(storage, rows);
    const inRange = rows.filter(({ record: { ts } }) => ts >= begin && ts < begin + 30 * HOUR_MS);
    const range = `from=${begin}&to=${begin + 30 * HOUR_MS}`;
    const names = ['speed', 'altitude', 'hdop', 'satellites', 'whole', 'fraction', 'flag', 'mixed', 'constant', 'rare'];
    const all = names.map((name) => `name=${name}`).join('&');
    for (const [source, step, which] of [
      ['raw', 'PT1H', AGGREGATES], ['minutes', 'PT1H', FROM_ROLLUPS], ['hours', 'PT1H', FROM_ROLLUPS],
      ['hours', 'PT2H', FROM_ROLLUPS], ['minutes', 'PT30M', FROM_ROLLUPS], ['minutes', 'PT1M', FROM_ROLLUPS], ['raw', '90', AGGREGATES],
    ] as const) {
      const answer = await ask(api, `${range}&step=${step}&source=${source}&agg=${which.join(',')}&${all}`);
      expect(answer.source).toBe(source);
      const stepMs = { PT1H: HOUR_MS, PT2H: 2 * HOUR_MS, PT30M: 30 * MINUTE_MS, PT1M: MINUTE_MS, 90: 90_000 }[step];
      for (const { deviceId, name, points } of answer.series) {
        const own = inRange.filter((one) => DEVICES[one.deviceId - 1] === deviceId);
        expect(points, `${source} ${step} ${deviceId} ${name}`).toEqual(expected(own, name, stepMs, which));
      }
      expect(answer.series).toHaveLength(DEVICES.length * names.length);
    }
  });

  test('all devices together, and groups, are as if they were one device', async () => {
    const begin = hourBefore(10);
    const made = randomRows(randomOf(8), 400, begin, 10 * HOUR_MS);
    const rows = [...new Map(made.map((one) => [`${one.deviceId}/${one.record.ts}/${one.record.eventId}`, one])).values()];
    const { api, pool } = await openSeries(storage, rows);
    const group = 'b3b1f1f0-0000-4000-8000-000000000001';
    await pool.query("insert into groups (id, name) values ($1, 'North')", [group]);
    await pool.query('insert into group_devices (group_id, device_id) values ($1, 1), ($1, 3)', [group]);
    await pool.query('insert into group_devices (group_id, device_id, valid_from, valid_to) values ($1, 2, now() - interval \'2 days\', now() - interval \'1 day\')', [group]);
    const range = `from=${begin}&to=${begin + 10 * HOUR_MS}&step=PT1H&name=speed&name=whole`;
    for (const [by, devices] of [['all', [1, 2, 3, 4]], ['group', [1, 3]]] as const) {
      const which = AGGREGATES.filter((one) => !/^(p\d|first|last)/.test(one));
      const own = rows.filter((one) => (devices as readonly number[]).includes(one.deviceId));
      const groups = by === 'group' ? `&groups=${group}` : '';
      const { source, series } = await ask(api, `${range}&by=${by}${groups}&agg=${which.join(',')}`);
      expect([source, series.map(({ name }) => name)]).toEqual(['minutes', ['speed', 'whole']]);
      expect(series[0]).toMatchObject(by === 'group' ? { groupId: group } : {});
      for (const { name, points } of series) expect(points).toEqual(expected(own, name, HOUR_MS, which));
      const edges = await ask(api, `${range}&by=${by}${groups}&agg=first,last,p95`);
      expect(edges.source).toBe('raw');
      for (const { name, points } of edges.series) expect(points).toEqual(expected(own, name, HOUR_MS, ['first', 'last', 'p95']));
    }
  });

  test('days are those of the time zone, with 23 hours when the clocks are put forward', async () => {
    const rows = Array.from({ length: 96 }, (_, at) => row(1, Date.parse('2026-03-27T12:00:00Z') + at * HOUR_MS, { speed: at }));
    const { api } = await openSeries(storage, rows);
    const query = 'devices=1&from=2026-03-28T00:00:00Z&to=2026-03-30T12:00:00Z&step=P1D&agg=count,first&name=speed';
    const { from, to, series } = await ask(api, `${query}&timeZone=Europe/Berlin`);
    expect([from, to].map((ts) => new Date(ts).toISOString())).toEqual(['2026-03-27T23:00:00.000Z', '2026-03-30T22:00:00.000Z']);
    expect(series[0]?.points.map(({ count, first }) => [count, first])).toEqual([[24, 11], [23, 35], [24, 58]]);
    const india = await ask(api, `${query}&timeZone=Asia/Kolkata`);
    expect(india.source).toBe('minutes');
    expect(india.series[0]?.points.map(({ count }) => count)).toEqual([24, 24, 24]);
  });
});

test('gaps are left out, or null, and counted as 0', async () => {
  const begin = hourBefore(10);
  const { api } = await openSeries('partitions', [row(1, begin + 5 * HOUR_MS, { speed: 12.3 })]);
  const query = `devices=1&from=${begin}&to=${begin + 8 * HOUR_MS}&step=PT1H&agg=avg,max,count&name=speed`;
  const [left] = (await ask(api, query)).series;
  expect(left?.points).toEqual([{ ts: begin + 5 * HOUR_MS, avg: 12.3, max: 12.3, count: 1 }]);
  const [filled] = (await ask(api, `${query}&gaps=null`)).series;
  expect(filled?.points.map(({ avg, count }) => [avg, count])).toEqual(
    Array.from({ length: 8 }, (_, at) => (at === 5 ? [12.3, 1] : [null, 0])));
});

test('numbers that no double can hold are null, not an error', async () => {
  const begin = hourBefore(4);
  const rows = [0, 1, 2].map((at) => row(1, begin + at * MINUTE_MS, {}, '{"huge":1e308,"tiny":5e-324}'));
  const { api } = await openSeries('partitions', rows);
  for (const source of ['raw', 'minutes', 'hours']) {
    const query = `devices=1&from=${begin}&to=${begin + HOUR_MS}&step=PT1H&agg=sum,avg,max,first&name=huge&name=tiny&source=${source}`;
    const { series } = await ask(api, query);
    expect(series.map(({ points }) => points[0])).toEqual([
      { ts: begin, sum: null, avg: 1e308, max: 1e308, first: 1e308 }, { ts: begin, sum: 0, avg: 0, max: 0, first: 0 },
    ]);
  }
});

test('what cannot be is refused, and says why', async () => {
  const { api } = await openSeries('partitions', []);
  const refused = async (query: string): Promise<unknown> => refusal(await api.ask(`/v1/series?${query}`));
  const range = 'from=2026-05-04&to=2026-05-05';
  expect(await refused(range)).toEqual({ status: 400, code: 'invalid_request', fields: ['query.name'] });
  expect(await refused(`${range}&name=course&agg=avg`)).toEqual({ status: 400, code: 'invalid_request', fields: ['query.agg'] });
  expect(await refused(`${range}&name=speed&step=PT0S`)).toEqual({ status: 400, code: 'invalid_request', fields: ['query.step'] });
  expect(await refused(`${range}&name=speed&timeZone=Mars`)).toEqual({ status: 400, code: 'invalid_request', fields: ['query.timeZone'] });
  expect(await refused(`${range}&name=speed&by=group`)).toEqual({ status: 400, code: 'invalid_request', fields: ['query.groups'] });
  expect(await refused(`${range}&name=speed&devices=1,9`)).toEqual({ status: 404, code: 'not_found', fields: [] });
  expect(await refused(`${range}&name=speed&agg=p95&source=hours`)).toEqual({ status: 422, code: 'unprocessable', fields: [] });
  expect(await refused(`${range}&name=speed&step=90&source=minutes`)).toEqual({ status: 422, code: 'unprocessable', fields: [] });
  expect(await refused(`${range}&name=speed&step=1&devices=1,2`)).toEqual({ status: 422, code: 'too_expensive', fields: [] });
});
