import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freshDatabaseOn, holdTransaction } from '../../core/support.ts';
import { collectGarbage } from '../../support/collect-garbage.ts';
import { startPrivatePostgres } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import type { TestApi } from '../support.ts';
import { addDevices, openPrepared, questionsAtALock, refusal, runningQuestions, startApi } from '../support.ts';

const PATH = '/v1/devices/car/positions?from=2026-05-04&to=2026-06-04';

/** Opens a download and takes nothing of it. */
async function open(api: TestApi, query: string): Promise<IncomingMessage> {
  const request = get(`${api.url}${PATH}${query}`, { headers: { authorization: 'Bearer admin' } });
  onTestFinished(() => { request.destroy(); });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

/** A record a second from 2026-05-04 on. */
async function siteWith(count: number, urls = {}) {
  const site = await openPrepared('partitions', urls);
  const ids = await addDevices(site.pool, 'car');
  await site.pool.query(
    `insert into positions (device_id, ts, received_at, latitude, longitude, altitude, course, speed, hdop, satellites, valid, attributes)
     select $1, timestamptz '2026-05-04Z' + n * interval '1 second', now(), 52 + n * 1e-6, 13 + n * 1e-6, 34, 90, 50, 0.9, 9, true,
       '{"ignition": true, "power": 12.5, "odometer": 123456789, "rssi": 4}'
     from generate_series(0, $2::int - 1) n`, [ids.get('car'), count]);
  return site;
}

/** Until it is the same for a while. */
async function settled(value: () => Promise<number>): Promise<number> {
  let last = -1;
  let same = 0;
  await eventually(async () => {
    const now = await value();
    same = now === last ? same + 1 : 0;
    last = now;
    return same >= 10;
  });
  return last;
}

const rowsRead = (api: TestApi): Promise<number> => api.metric('odograph_query_rows_total', { question: 'history' });

describe('a download', () => {
  it('of 500,000 records to a client that does not keep up takes no more memory than some batches', async () => {
    const count = 500_000;
    const api = await startApi(await siteWith(count));
    const response = await open(api, '&format=ndjson');
    // Nothing is taken: no more is read than the buffers on the way hold.
    expect(await settled(() => rowsRead(api))).toBeLessThan(50_000);
    collectGarbage();
    const before = process.memoryUsage();
    let [lines, bytes, most, chunks] = [0, 0, 0, 0];
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      for (const byte of chunk) if (byte === 10) lines += 1;
      chunks += 1;
      if (chunks % 50 !== 0) continue;
      collectGarbage();
      const { heapUsed, external } = process.memoryUsage();
      most = Math.max(most, heapUsed + external - before.heapUsed - before.external);
    }
    expect(lines).toBe(count);
    expect(bytes).toBeGreaterThan(100_000_000);
    expect(most).toBeLessThan(16_000_000);
  });

  it('leaves no statement behind when the client goes in the middle', async () => {
    const site = await siteWith(60_000);
    const api = await startApi(site);
    const response = await open(api, '&format=csv');
    await once(response, 'readable');
    expect(await api.metric('odograph_query_downloads')).toBe(1);
    response.destroy();
    await eventually(async () => (await api.metric('odograph_query_downloads')) === 0);
    const rows = await rowsRead(api);
    expect(await settled(() => rowsRead(api))).toBe(rows);
    expect(rows).toBeLessThan(60_000);
    expect(await runningQuestions(site.pool)).toEqual([]);
  });

  it.each(['', '&format=csv', '&simplify=100', '&simplify=5m&format=gpx'])('%s ends a statement that its client does not wait for', async (query) => {
    const site = await siteWith(10);
    const api = await startApi(site, { overrides: { QUERY_STATEMENT_TIMEOUT_MS: '600000' } });
    const held = await holdTransaction(site.pool, 'lock table positions in access exclusive mode');
    const request = get(`${api.url}${PATH}${query}`, { headers: { authorization: 'Bearer admin' } });
    request.on('error', () => undefined);
    await eventually(async () => (await questionsAtALock(site.pool)) === 1);
    request.destroy();
    await eventually(async () => (await runningQuestions(site.pool)).length === 0, { timeoutMs: 3_000 });
    await held.end();
    // The database is done with it a moment before this process is.
    const labels = { result: 'abandoned', question: 'history' };
    await eventually(async () => (await api.metric('odograph_query_question_duration_seconds', labels)) > 0);
    expect(api.lines.filter(({ level }) => level >= 50)).toEqual([]);
    expect((await api.ask(`${PATH}${query}`)).status).toBe(200);
  });

  it('is not made for HEAD', async () => {
    const site = await siteWith(5_000);
    const api = await startApi(site);
    const response = await fetch(`${api.url}${PATH}&format=csv`, { method: 'HEAD', headers: { authorization: 'Bearer admin' } });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8; header=present']);
    expect(await rowsRead(api)).toBe(1_000);
  });

  it('goes on over connections that are ended between its batches', async () => {
    const site = await siteWith(60_000);
    const api = await startApi(site);
    const response = await open(api, '&format=ndjson');
    await settled(() => rowsRead(api));
    await site.pool.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'odograph/query/%' and datname = current_database()");
    let lines = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) for (const byte of chunk) if (byte === 10) lines += 1;
    expect(lines).toBe(60_000);
  });

  it('is seen to be broken off when the database goes in the middle, and refused while it is away', async () => {
    const postgres = await startPrivatePostgres();
    onTestFinished(() => postgres.stop());
    const site = await siteWith(100_000, { postgresUrl: await freshDatabaseOn(postgres.url) });
    const api = await startApi(site);
    const response = await open(api, '&format=csv');
    await settled(() => rowsRead(api));
    await postgres.kill();
    await expect(response.resume().toArray()).rejects.toThrow('aborted');
    expect(api.lines.map(({ msg }) => msg)).toContain('a download was broken off');
    for (const path of [`${PATH}&format=csv`, PATH, '/v1/devices', '/v1/devices/car', '/v1/positions/latest', '/v1/groups']) {
      const answer = await api.ask(path);
      expect(refusal(answer)).toMatchObject({ status: 503, code: 'unavailable' });
      expect(answer.headers.get('retry-after')).toMatch(/^[25]$/);
    }
    const again = await postgres.again();
    onTestFinished(() => again.stop());
    await eventually(async () => (await api.ask('/v1/devices/car')).status === 200);
  });
});
