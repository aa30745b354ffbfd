/** Questions that are too much for the database, or for which it is away, over HTTP and a real PostgreSQL. */
import { expect, onTestFinished, test } from 'vitest';
import { startPrivatePostgres } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import type { Overrides } from '../../core/support.ts';
import type { TestApi } from '../support.ts';
import { addDevices, openPrepared, refreshStates, refusal, runningQuestions, startApi } from '../support.ts';

const RANGE = 'from=2026-05-04T00:00:00Z&to=2026-05-06T00:00:00Z';
const EXPENSIVE = `/v1/devices/A/series?${RANGE}&name=speed&agg=p95&step=PT1H&source=raw`;
const CHEAP = '/v1/devices/B';

/** Device A has a record a second for two days, device B a single one. */
async function openBusy(overrides: Overrides = {}, postgresUrl?: string): Promise<{ api: TestApi; pool: TestApi['pool'] }> {
  const site = await openPrepared('partitions', postgresUrl === undefined ? {} : { postgresUrl });
  const ids = await addDevices(site.pool, 'A', 'B');
  await site.pool.query(`insert into positions (device_id, ts, received_at, speed, valid)
    select $1, t, t, 50, true from generate_series('2026-05-04T00:00:00Z'::timestamptz, '2026-05-05T23:59:59Z', '1 second') t`, [ids.get('A')]);
  await site.pool.query('insert into positions (device_id, ts, received_at, speed, valid) values ($1, \'2026-05-04T00:00:00Z\', now(), 1, true)', [ids.get('B')]);
  await refreshStates(site.pool);
  return { pool: site.pool, api: await startApi(site, { overrides }) };
}

test('expensive questions, however many, leave cheap ones their connections', async () => {
  const { api, pool } = await openBusy({ QUERY_POOL_SIZE: '4', QUERY_EXPENSIVE_CONNECTIONS: '2' });
  const holder = await pool.connect();
  // What reads positions waits, so all expensive questions that may be under way stay there.
  await holder.query('begin; lock table positions in access exclusive mode');
  const expensive = Array.from({ length: 12 }, (_, at) => api.ask(`${EXPENSIVE}&name=altitude${at}`));
  await eventually(async () => { expect(await api.metric('odograph_query_waiting', { weight: 'expensive' })).toBe(10); });
  expect(await runningQuestions(pool)).toHaveLength(2);
  const startedAt = performance.now();
  for (let at = 0; at < 20; at += 1) expect((await api.ask(CHEAP)).status).toBe(200);
  expect(performance.now() - startedAt).toBeLessThan(4_000);
  await holder.query('commit');
  holder.release();
  expect((await Promise.all(expensive)).map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
  expect(await api.metric('odograph_query_running', { weight: 'expensive' })).toBe(0);
});

test('who finds the queue full, or waits too long, is told when to come again', async () => {
  const { api, pool } = await openBusy({
    QUERY_POOL_SIZE: '2', QUERY_EXPENSIVE_CONNECTIONS: '1', QUERY_QUEUE_LIMIT: '1', QUERY_QUEUE_TIMEOUT_MS: '300',
  });
  const holder = await pool.connect();
  await holder.query('begin; lock table positions in access exclusive mode');
  const first = api.ask(`${EXPENSIVE}&name=a`);
  await eventually(async () => { expect(await api.metric('odograph_query_running', { weight: 'expensive' })).toBe(1); });
  const second = api.ask(`${EXPENSIVE}&name=b`);
  await eventually(async () => { expect(await api.metric('odograph_query_waiting', { weight: 'expensive' })).toBe(1); });
  const third = await api.ask(`${EXPENSIVE}&name=c`);
  for (const answer of [third, await second]) {
    expect(refusal(answer)).toEqual({ status: 503, code: 'overloaded', fields: [] });
    expect(answer.headers.get('retry-after')).toBe('1');
  }
  await holder.query('commit');
  holder.release();
  expect((await first).status).toBe(200);
  expect(await api.metric('odograph_query_turned_away_total', { weight: 'expensive', reason: 'full' })).toBe(1);
  expect(await api.metric('odograph_query_turned_away_total', { weight: 'expensive', reason: 'overdue' })).toBe(1);
});

test('a question for too many rows is refused before it is put, and says what to do', async () => {
  const { api } = await openBusy({ QUERY_MAX_ROWS: '100000' });
  // Nothing is rolled up yet, so the hours are read from the records as well.
  expect(refusal(await api.ask(`/v1/devices/A/series?${RANGE}&name=speed&step=PT1H`))).toMatchObject({ status: 422 });
  const refused = await api.ask(EXPENSIVE);
  expect(refusal(refused)).toEqual({ status: 422, code: 'too_expensive', fields: [] });
  expect((refused.json as { detail: string }).detail).toMatch(/^this would read 172,\d{3} rows, and 100,000 is the most; narrow the range, or use a longer step$/);
  expect((await api.ask('/v1/devices/A/series?from=2026-05-04T00:00:00Z&to=2026-05-04T12:00:00Z&name=speed&agg=p95&step=PT1H')).status).toBe(200);
  expect(refusal(await api.ask(`/v1/summaries?${RANGE}`))).toMatchObject({ status: 422 });
  expect(await api.metric('odograph_query_too_expensive_total')).toBe(3);
});

test('one that takes too long is a 504', async () => {
  const { api, pool } = await openBusy({ QUERY_STATEMENT_TIMEOUT_MS: '200' });
  const holder = await pool.connect();
  await holder.query('begin; lock table positions in access exclusive mode');
  expect(refusal(await api.ask(EXPENSIVE))).toEqual({ status: 504, code: 'timeout', fields: [] });
  await holder.query('rollback');
  holder.release();
});

test('while the database is away questions are refused at once, and answered when it is back', async () => {
  const server = await startPrivatePostgres();
  onTestFinished(() => server.stop());
  const { api } = await openBusy({}, server.url);
  expect((await api.ask(CHEAP)).status).toBe(200);
  await server.kill();
  for (let at = 0; at < 8; at += 1) {
    const answer = await api.ask(CHEAP);
    expect(refusal(answer)).toEqual({ status: 503, code: 'unavailable', fields: [] });
    expect(answer.headers.get('retry-after')).toMatch(/^[25]$/);
  }
  expect(await api.metric('odograph_query_breaker_open')).toBe(1);
  expect(await api.metric('odograph_query_turned_away_total', { weight: 'cheap', reason: 'broken' })).toBeGreaterThan(0);
  const again = await server.again();
  onTestFinished(() => again.stop());
  await eventually(async () => { expect((await api.ask(CHEAP)).status).toBe(200); }, { timeoutMs: 20_000 });
  expect(await api.metric('odograph_query_breaker_open')).toBe(0);
});
