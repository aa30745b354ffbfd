/** The cache of answers over HTTP, on a real Redis and PostgreSQL: who shares an entry, and what a bad Redis costs. */
import { onTestFinished, expect, test } from 'vitest';
import type { Visibility } from '../../../src/http/caller.ts';
import { connectRedis } from '../../../src/shared/redis.ts';
import { startPrivateRedis } from '../../support/redis.ts';
import { eventually } from '../../support/eventually.ts';
import type { Overrides } from '../../core/support.ts';
import type { Asked, TestApi } from '../support.ts';
import { addDevices, addPositions, openPrepared, refreshStates, startApi } from '../support.ts';

const BEGIN = Date.parse('2026-05-04T00:00:00Z');
const MINUTE_MS = 60_000;
const RANGE = 'from=2026-05-04T00:00:00Z&to=2026-05-04T01:00:00Z';
const SERIES = `/v1/series?${RANGE}&name=speed&step=PT1H&agg=count`;
const TOTALS = `/v1/totals?${RANGE}`;

const only = (...devices: string[]): Visibility => ({ kind: 'granted', devices, groups: [] });
const asked = (...devices: string[]): Visibility => ({
  kind: 'asked', readable: (ids) => Promise.resolve(new Set(ids.filter((id) => devices.includes(id)))),
  readableGroups: () => Promise.resolve(new Set()),
});

const CALLERS = {
  seesA: only('A'), seesAToo: only('A'), seesB: only('B'), seesNone: only(), asksForB: asked('B'), asksForA: asked('A'),
};

async function openFleet(
  overrides: Overrides = {},
  redisUrl?: string,
): Promise<{ api: TestApi; pool: TestApi['pool'] }> {
  const site = await openPrepared('partitions');
  const ids = await addDevices(site.pool, 'A', 'B', 'C');
  for (const [at, id] of [...ids.values()].entries()) {
    const minutes = Array.from({ length: 10 * (at + 1) }, (_, minute) => ({ ts: BEGIN + minute * MINUTE_MS }));
    await addPositions(site.pool, id, minutes);
  }
  await refreshStates(site.pool);
  const redis = redisUrl === undefined
    ? site.redis
    : connectRedis(redisUrl, { name: 'cache', commandTimeoutMs: 5_000, onError: () => undefined });
  onTestFinished(() => { redis.disconnect(); });
  return { pool: site.pool, api: await startApi({ ...site, redis }, { callers: CALLERS, overrides }) };
}

interface Counted {
  readonly series: readonly { readonly deviceId: string; readonly points: readonly { readonly count: number }[] }[];
}

const counts = ({ json }: Asked): unknown =>
  (json as Counted).series.map(({ deviceId, points }) => [deviceId, points[0]?.count]);
const status = ({ headers }: Asked): string | null => headers.get('cache-status');

/** How many statements of a kind the database has answered. */
async function questions({ registry }: TestApi, question: string): Promise<number> {
  const { values } = await registry.getSingleMetric('odograph_query_question_duration_seconds')!.get();
  return values.filter((one) => 'metricName' in one && one.metricName === 'odograph_query_question_duration_seconds_count'
    && one.labels.question === question).reduce((sum, { value }) => sum + value, 0);
}

test('callers who see the same share an entry, others never do, however they come by what they see', async () => {
  const { api } = await openFleet();
  expect(counts(await api.ask(SERIES))).toEqual([['A', 10], ['B', 20], ['C', 30]]);
  const as = async (name: string): Promise<unknown> => {
    const answer = await api.ask(SERIES, { as: name });
    const totals = await api.ask(TOTALS, { as: name });
    expect([answer.status, totals.status]).toEqual([200, 200]);
    const { records, devices } = totals.json as { records: number; devices: number };
    return [counts(answer), status(answer), records, devices];
  };
  expect(await as('seesA')).toEqual([[['A', 10]], 'odograph; fwd=miss', 10, 1]);
  expect(await as('seesB')).toEqual([[['B', 20]], 'odograph; fwd=miss', 20, 1]);
  expect(await as('seesNone')).toEqual([[], 'odograph; fwd=miss', 0, 0]);
  await eventually(async () => { expect(await as('seesAToo')).toEqual([[['A', 10]], 'odograph; hit', 10, 1]); });
  expect(await as('asksForB')).toEqual([[['B', 20]], 'odograph; hit', 20, 1]);
});

test('a device that a caller does not see is not there, though another has just asked for it', async () => {
  const { api } = await openFleet();
  for (const path of ['/v1/devices/A/series?name=speed', '/v1/devices/A/summaries?', '/v1/series?name=speed&devices=A', '/v1/summaries?devices=A', '/v1/totals?devices=A']) {
    const url = `${path}&${RANGE}`;
    const statuses: number[] = [];
    for (const name of ['admin', 'seesA', 'asksForA', 'seesB', 'asksForB', 'seesNone']) {
      statuses.push((await api.ask(url, { as: name })).status);
    }
    expect(statuses, path).toEqual([200, 200, 200, 404, 404, 404]);
  }
});

test('a hit is sent as it was kept, without asking the database, and not at all to who has it', async () => {
  const { api } = await openFleet();
  const first = await api.ask(SERIES);
  const asks = await questions(api, 'series-raw');
  const second = await eventually(async () => {
    const answer = await api.ask(SERIES);
    expect(status(answer)).toBe('odograph; hit');
    return answer;
  });
  expect(second.text).toBe(first.text);
  expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
  const known = await api.ask(SERIES, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } });
  expect([known.status, known.text]).toEqual([304, '']);
  expect(await questions(api, 'series-raw')).toBe(asks);
  // The same question, spelled otherwise.
  const other = '/v1/series?step=3600&agg=count&name=speed&to=1777856340000&from=1777852800000';
  expect(status(await api.ask(other))).toBe('odograph; hit');
  expect(await api.metric('odograph_query_cache_requests_total', { question: 'series', result: 'hit' })).toBeGreaterThanOrEqual(3);
});

test('equal questions at the same time are put to the database once', async () => {
  const { api, pool } = await openFleet();
  const holder = await pool.connect();
  await holder.query('begin; lock table positions in access exclusive mode');
  const answers = Array.from({ length: 20 }, (_, at) => api.ask(SERIES, { as: at % 2 === 0 ? 'seesA' : 'seesAToo' }));
  await eventually(async () => { expect(await api.metric('odograph_query_running', { weight: 'cheap' })).toBe(1); });
  await holder.query('commit');
  holder.release();
  const statuses = (await Promise.all(answers)).map(status);
  expect(statuses.filter((one) => one === 'odograph; fwd=miss')).toHaveLength(1);
  expect(await questions(api, 'series-raw')).toBe(1);
});

test('answers over a size, and those for which there is no room, are not kept', async () => {
  const { api } = await openFleet({ QUERY_CACHE_MAX_ANSWER_BYTES: '1024' });
  const long = `/v1/series?${RANGE}&name=speed&step=PT1M&gaps=null`;
  for (let at = 0; at < 3; at += 1) expect(status(await api.ask(long))).toBe('odograph; fwd=miss');
  expect(await api.metric('odograph_query_cache_skips_total', { reason: 'too_large' })).toBe(3);
  const { api: full } = await openFleet({ QUERY_CACHE_MAX_BYTES: '0' });
  for (let at = 0; at < 3; at += 1) expect(status(await full.ask(SERIES))).toBe('odograph; fwd=miss');
  expect(await full.metric('odograph_query_cache_skips_total', { reason: 'no_room' })).toBe(3);
});

test('a Redis that is frozen, or away, costs a question some milliseconds and is asked again when it is back', async () => {
  const server = await startPrivateRedis();
  onTestFinished(() => server.stop());
  const { api } = await openFleet({}, server.url);
  await eventually(async () => { expect(status(await api.ask(SERIES))).toBe('odograph; hit'); });
  await server.freeze();
  const durations: number[] = [];
  for (let at = 0; at < 20; at += 1) {
    const startedAt = performance.now();
    const answer = await api.ask(SERIES);
    durations.push(performance.now() - startedAt);
    expect([answer.status, status(answer)]).toEqual([200, 'odograph; fwd=bypass']);
  }
  // Three of them wait for the time-out of 50 ms, then Redis is left alone.
  expect(durations.toSorted((a, b) => a - b)[10]).toBeLessThan(50);
  expect(await api.metric('odograph_query_cache_failures_total', { operation: 'get' })).toBeLessThanOrEqual(4);
  await server.thaw();
  await eventually(async () => { expect(status(await api.ask(SERIES))).toBe('odograph; hit'); });
  await server.kill();
  await eventually(async () => { expect(status(await api.ask(SERIES))).toBe('odograph; fwd=bypass'); });
  expect((await api.ask(SERIES)).status).toBe(200);
});
