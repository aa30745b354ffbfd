/** Totals and summaries over HTTP: what they count, of whom, and page by page. */
import { expect, test } from 'vitest';
import type { TestApi } from '../support.ts';
import { rollUp } from '../../../src/core/rollups/hours.ts';
import { STORAGES, addDevices, addPositions, allPages, openPrepared, refreshStates, startApi } from '../support.ts';

const BEGIN = Date.parse('2026-05-04T00:00:00Z');
const MINUTE_MS = 60_000;
const NORTH = 'b3b1f1f0-0000-4000-8000-000000000001';
const EMPTY = 'b3b1f1f0-0000-4000-8000-000000000002';

/**
 * A has 10 records of 10 km/h, B 20 of 20, C 30 of 30, a minute apart; D none, E one of now. A and B are in the north.
 */
async function openFleet(storage: (typeof STORAGES)[number]): Promise<TestApi> {
  const site = await openPrepared(storage);
  const ids = await addDevices(site.pool, 'A', 'B', 'C', 'D', 'E');
  for (const [at, name] of ['A', 'B', 'C'].entries()) {
    const count = 10 * (at + 1);
    const records = Array.from({ length: count }, (_, minute) => ({ ts: BEGIN + minute * MINUTE_MS, speed: count }));
    await addPositions(site.pool, ids.get(name), records);
  }
  await addPositions(site.pool, ids.get('E'), [{ ts: Date.now() }]);
  await refreshStates(site.pool);
  await site.pool.query("insert into groups (id, name) values ($1, 'North'), ($2, 'Empty')", [NORTH, EMPTY]);
  const members = [NORTH, ids.get('A'), ids.get('B')];
  await site.pool.query('insert into group_devices (group_id, device_id) values ($1, $2), ($1, $3)', members);
  const callers = {
    north: { kind: 'granted', devices: ['C'], groups: [NORTH] }, c: { kind: 'granted', devices: ['C'], groups: [] },
  } as const;
  return startApi(site, { callers });
}

test.each(STORAGES)('totals are of the devices that the caller sees, in all and by group, with %s', async (storage) => {
  const api = await openFleet(storage);
  const range = 'from=2026-05-04T00:10:00Z&to=2026-05-04T00:20:00Z';
  const totals = async (query: string, as = 'admin'): Promise<unknown> =>
    (await api.ask(`/v1/totals?${range}${query}`, { as })).json;
  const all = { devices: 5, online: 1, offline: 3, never: 1, active: 3, records: 60, topSpeed: 30 };
  // The range is widened to the hour.
  expect(await totals('')).toMatchObject({ ...all, from: BEGIN, to: BEGIN + 60 * MINUTE_MS, groups: [] });
  expect((await totals('') as { meanSpeed: number }).meanSpeed).toBeCloseTo((10 * 10 + 20 * 20 + 30 * 30) / 60, 4);
  const north = {
    groupId: NORTH, name: 'North', devices: 2, online: 0, offline: 2, never: 0, active: 2, records: 30,
    meanSpeed: 16.66667, topSpeed: 20,
  };
  expect(await totals(`&groups=${NORTH},${EMPTY}`)).toMatchObject({
    devices: 2, records: 30, groups: [north, { groupId: EMPTY, name: 'Empty', devices: 0, records: 0, meanSpeed: null }],
  });
  expect(await totals('', 'north')).toMatchObject({ devices: 3, active: 3, records: 60 });
  expect(await totals('', 'c')).toMatchObject({ devices: 1, records: 30 });
  expect(await totals(`&groups=${NORTH}`, 'north')).toMatchObject({ devices: 2, groups: [north] });
  expect(await totals(`&groups=${NORTH}`, 'c')).toMatchObject({ status: 404, code: 'not_found' });
  expect(await totals('&devices=A,C')).toMatchObject({ devices: 2, records: 40 });
});

test('summaries come in pages of whole devices, of those that the caller sees', async () => {
  const api = await openFleet('partitions');
  const path = '/v1/summaries?from=2026-05-04T00:00:00Z&to=2026-05-05T00:00:00Z&limit=2';
  interface Item { deviceId: string; date: string; records: number; movingSeconds: number; topSpeed: number }
  const pages = await allPages<Item>(api, path);
  expect(pages.map((page) => page.map(({ deviceId }) => deviceId))).toEqual([['A', 'B'], ['C'], []]);
  const told = pages.flat()
    .map(({ date, records, movingSeconds, topSpeed }) => [date, records, movingSeconds, topSpeed]);
  expect(told).toEqual([
    ['2026-05-04', 10, 540, 10], ['2026-05-04', 20, 1_140, 20], ['2026-05-04', 30, 1_740, 30],
  ]);
  const own = (await allPages<Item>(api, path, 'c')).flat();
  expect(own).toEqual(pages[1]);
  const one = await api.ask('/v1/devices/C/summaries?from=2026-05-04&to=2026-05-05', { as: 'c' });
  expect((one.json as { items: unknown }).items).toEqual(own);
});

test('what devices report is no error, however little it differs and however far it goes', async () => {
  const site = await openPrepared();
  const ids = await addDevices(site.pool, 'A');
  const attributes = ['-1.7e308', '1.7e308', '1e-320', '2e-320'].map((odometer) => `{"odometer": ${odometer}}`);
  await addPositions(site.pool, ids.get('A'), attributes.map((text, at) => ({
    ts: BEGIN + at * MINUTE_MS, latitude: 5e-324 * at, longitude: -1e-200 * at, speed: null, attributes: text,
  })));
  const { json, text } = await (await startApi(site)).ask('/v1/devices/A/summaries?from=2026-05-04&to=2026-05-05');
  expect((json as { items: unknown[] }).items, text).toMatchObject([{ records: 4, distance: 0, distanceSource: 'positions' }]);
});

test('ranges at the ends of time are answered', async () => {
  const site = await openPrepared();
  await addDevices(site.pool, 'A');
  const api = await startApi(site);
  for (const range of ['to=0001-01-01', 'to=9999-12-31T23:59:59.999Z', 'from=0001-01-01&to=0001-01-01T00:00:01Z']) {
    const questions = [`/v1/totals?${range}`, `/v1/summaries?${range}&timeZone=Pacific/Apia`, `/v1/series?${range}&name=speed&step=P1W&gaps=null`];
    for (const question of questions) {
      const { status, text } = await api.ask(question);
      expect([status, question], text).toEqual([200, question]);
    }
  }
});

test.each(STORAGES)('totals are the same wherever the hours and minutes end that are rolled up, and with late records, with %s', async (storage) => {
  const site = await openPrepared(storage);
  const ids = await addDevices(site.pool, 'A', 'B');
  const HOUR_MS = 60 * MINUTE_MS;
  for (const [at, name] of ['A', 'B'].entries()) {
    const records = Array.from({ length: 300 }, (_, minute) => (
      { ts: BEGIN + minute * MINUTE_MS, speed: minute % 7 === at ? null : minute + at }));
    await addPositions(site.pool, ids.get(name), records);
  }
  await refreshStates(site.pool);
  const hours = [0, 1, 2].flatMap((hour) => (
    [...ids.values()].map((deviceId) => ({ deviceId, hour: BEGIN + hour * HOUR_MS }))));
  const client = await site.pool.connect();
  await rollUp(client, hours, { minutes: BEGIN, hours: BEGIN, raw: BEGIN }, true);
  client.release();
  await addPositions(site.pool, ids.get('B'), [{ ts: BEGIN + 90 * MINUTE_MS + 1, speed: 500 }]);
  const mark = [ids.get('B'), (BEGIN + HOUR_MS) / 1_000];
  await site.pool.query('insert into rollup_marks (device_id, hour) values ($1, to_timestamp($2))', mark);
  const answers = new Set<string>();
  for (const [rolledTo, minutesTo] of [
    ['-infinity', '-infinity'], ['2026-05-04T01:00Z', '2026-05-04T01:00Z'], ['2026-05-04T01:00Z', '2026-05-04T02:40Z'],
    ['2026-05-04T02:00Z', '2026-05-04T02:01Z'], ['2026-05-04T03:00Z', '2026-05-04T03:00Z'],
  ]) {
    await site.pool.query(
      "update rollup_state set rolled_to = $1, minutes_to = $2, minutes_from = '-infinity', hours_from = '-infinity'",
      [rolledTo, minutesTo]);
    // The cache keeps an answer for some seconds.
    const api = await startApi(site, { overrides: { QUERY_CACHE_MAX_BYTES: '0' } });
    const { text, json } = await api.ask('/v1/totals?from=2026-05-04T00:00:00Z&to=2026-05-04T05:00:00Z');
    expect(json).toMatchObject({ devices: 2, active: 2, records: 601, topSpeed: 500 });
    answers.add(text);
  }
  expect(answers.size).toBe(1);
});
