import { describe, expect, it } from 'vitest';
import { holdTransaction, openSite } from '../core/support.ts';
import { eventually } from '../support/eventually.ts';
import { addDevices, openPrepared, questionsAtALock, refusal, startApi } from './support.ts';

describe('the connections of the role query', () => {
  it('cannot write, whatever the URL of the database says', async () => {
    const site = await openPrepared();
    const url = new URL(site.postgresUrl);
    url.searchParams.set('options', '-c default_transaction_read_only=off -c work_mem=5MB');
    const { pool } = await startApi({ ...site, postgresUrl: url.href });
    await expect(pool.query("insert into devices (unique_id) values ('new')")).rejects.toMatchObject({ code: '25006' });
    expect((await pool.query('show work_mem')).rows).toEqual([{ work_mem: '5MB' }]);
    expect((await pool.query("select current_setting('client_connection_check_interval') as interval")).rows).toEqual([{ interval: '500ms' }]);
    expect((await pool.query('show effective_io_concurrency')).rows).toEqual([{ effective_io_concurrency: '128' }]);
  });

  it('are counted', async () => {
    const api = await startApi(await openPrepared());
    await api.ask('/v1/devices');
    expect(await api.metric('odograph_query_pool_connections', { state: 'idle' })).toBeGreaterThan(0);
    expect(await api.metric('odograph_query_question_duration_seconds', { question: 'devices', result: 'ok' })).toBeGreaterThan(0);
  });
});

describe('a question', () => {
  it('that takes too long is ended, and the caller is told', async () => {
    const site = await openPrepared();
    await addDevices(site.pool, 'car');
    const api = await startApi(site, { overrides: { QUERY_STATEMENT_TIMEOUT_MS: '200' } });
    const held = await holdTransaction(site.pool, 'lock table positions in access exclusive mode');
    expect(refusal(await api.ask('/v1/devices/car/positions'))).toMatchObject({ status: 504, code: 'timeout' });
    await held.end();
    expect((await api.ask('/v1/devices/car/positions')).status).toBe(200);
  });

  const TWO_FOR_CHEAP_ONES = {
    QUERY_POOL_SIZE: '3', QUERY_EXPENSIVE_CONNECTIONS: '1', QUERY_STATEMENT_TIMEOUT_MS: '30000', QUERY_QUEUE_TIMEOUT_MS: '500',
  };

  it('for which no connection becomes free is refused as too busy', async () => {
    const site = await openPrepared();
    await addDevices(site.pool, 'car');
    const api = await startApi(site, { overrides: TWO_FOR_CHEAP_ONES });
    const held = await holdTransaction(site.pool, 'lock table positions in access exclusive mode');
    const waiting = [api.ask('/v1/devices/car/positions'), api.ask('/v1/devices/car/positions?order=desc')];
    await eventually(async () => (await questionsAtALock(site.pool)) === 2);
    const refused = await api.ask('/v1/devices');
    expect(refusal(refused)).toMatchObject({ status: 503, code: 'overloaded' });
    expect(refused.headers.get('retry-after')).toBe('1');
    await held.end();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('before the tables are there is refused until they are', async () => {
    const api = await startApi(await openSite());
    expect(refusal(await api.ask('/v1/devices'))).toMatchObject({ status: 503, code: 'unavailable' });
  });
});
