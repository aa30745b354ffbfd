/** The whole as one process: how it starts, what it says about itself, and how it ends. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { STORAGES, countPending, countPositions, freshDatabaseOn, openSite } from '../core/support.ts';
import { dataFrame, loggedIn } from '../ingest/tracker.ts';
import { startPrivatePostgres } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import type { PrivateServer } from '../support/private-server.ts';
import type { Environment } from './support.ts';
import { startOdograph } from './support.ts';

const IMEI = '356307042441013';
const START = 1_700_000_000_000;

function serversOf({ redisUrl, postgresUrl }: { redisUrl: string; postgresUrl: string }): Environment {
  return { REDIS_URL: redisUrl, POSTGRES_URL: postgresUrl };
}

async function send(port: number, count: number, ts: number): Promise<void> {
  const tracker = await loggedIn(port, IMEI);
  tracker.send(dataFrame(count, ts));
  expect(await tracker.acknowledgement()).toBe(count);
  tracker.socket.destroy();
}

test.each(STORAGES)('takes a tracker in, stores what it sends, ends, and goes on after a restart: %s', async (storage) => {
  const site = await openSite();
  const settings = { ...serversOf(site), POSITIONS_STORAGE: storage };
  for (const run of [1, 2]) {
    const odograph = await startOdograph(settings);
    await odograph.ready();
    await send(await odograph.trackerPort(), 10, START + run * 60_000);
    await eventually(async () => { expect(await countPositions(site.pool)).toBe(10 * run); });
    expect(await odograph.metrics()).toContain('processor_position_writes_total{status="inserted"} 10');
    expect(await odograph.end('SIGTERM')).toBe(0);
    expect(odograph.stderr()).toBe('');
    expect(odograph.lines.filter(({ level }) => ['error', 'fatal'].includes(level))).toEqual([]);
  }
});

test.each([['core', 5], ['ingest,core', 0]])('the roles %s have the priority %d', async (roles, nice) => {
  const site = await openSite();
  const odograph = await startOdograph({ ...serversOf(site), ROLES: roles });
  await odograph.ready();
  expect(getPriority(odograph.child.pid)).toBe(Math.max(nice, getPriority()));
});

test('ends with 0 on SIGINT too', async () => {
  const site = await openSite();
  const odograph = await startOdograph(serversOf(site));
  await odograph.ready();
  expect(await odograph.end('SIGINT')).toBe(0);
});

test('prints every problem of wrong settings and ends with 2', async () => {
  const odograph = await startOdograph({
    REDIS_URL: 'http://nowhere', POSTGRES_URL: 'postgres://127.0.0.1', STREAM_PARTITIONS: '0', INGEST_LISTENER: 'x:1',
    PROCESSOR_WRITERS: 'many',
  });
  expect(await odograph.ended()).toBe(2);
  const [head, ...problems] = odograph.stderr().trim().split('\n').map((line) => line.trim());
  expect(head).toBe('4 problems in the settings:');
  expect(problems.map((line) => line.split(':')[0]).sort())
    .toEqual(['INGEST_LISTENER', 'PROCESSOR_WRITERS', 'REDIS_URL', 'STREAM_PARTITIONS']);
});

test('prints a protocol that there is not and ends with 2', async () => {
  const servers = { REDIS_URL: 'redis://127.0.0.1', POSTGRES_URL: 'postgres://127.0.0.1' };
  const odograph = await startOdograph({ ...servers, INGEST_LISTENERS: 'morse:1' });
  expect(await odograph.ended()).toBe(2);
  expect(odograph.stderr()).toContain('INGEST_LISTENERS: expected one of');
});

test('ends with 1 on a database that only an operator can mend, and says so', async () => {
  const site = await openSite();
  await site.pool.query(`
    create table schema_migrations (name text primary key, checksum text not null);
    insert into schema_migrations values ('9999-of-a-newer-version.sql', 'x')`);
  const odograph = await startOdograph(serversOf(site));
  expect(await odograph.ended()).toBe(1);
  expect(odograph.lines.filter(({ level }) => level === 'fatal')).toMatchObject([{ msg: 'cannot go on' }]);
});

test('warns where one of the two URLs is missing, and a server of its own takes that place', async () => {
  const { redisUrl } = await openSite();
  const dataDir = await mkdtemp(join(tmpdir(), 'odograph-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const odograph = await startOdograph({ REDIS_URL: redisUrl, POSTGRES_URL: '', ODOGRAPH_DATA_DIR: dataDir });
  await odograph.ready();
  expect(odograph.lines.filter(({ level }) => level === 'warn')).toMatchObject([{ msg: expect.stringMatching(/^POSTGRES_URL is not set/) as string }]);
  expect(await odograph.end('SIGTERM')).toBe(0);
});

test.each(['METRICS_PORT', 'LIVE_WS_PORT', 'API_PORT', 'INGEST_LISTENERS'])('says that the port of %s is taken, and nothing else', async (name) => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  onTestFinished(() => { holder.close(); });
  const port = String((holder.address() as AddressInfo).port);
  const servers = { ...serversOf(await openSite()), AUTH_TOKEN: 'token-of-the-administrator' };
  const settings = { ...servers, [name]: name === 'INGEST_LISTENERS' ? `teltonika:${port}` : port };
  const odograph = await startOdograph(settings);
  expect(await odograph.ended()).toBe(1);
  const said = odograph.lines.filter(({ level }) => level !== 'debug' && level !== 'info');
  expect(said).toMatchObject([{ level: 'fatal', error: expect.stringContaining(port) as string }]);
  expect(odograph.lines.at(-1)).toMatchObject({ msg: 'stopped' });
});

describe('without its database', () => {
  let postgres: PrivateServer;
  beforeAll(async () => { postgres = await startPrivatePostgres(); });
  afterAll(async () => { await postgres.stop(); });

  test('says what is missing, takes trackers in all the same, and stores what they sent when it is there', async () => {
    const site = await openSite({ postgresUrl: await freshDatabaseOn(postgres.url) });
    await postgres.stop();
    const odograph = await startOdograph(serversOf(site));
    try {
      await send(await odograph.trackerPort(), 10, START);
      const { status, checks } = await odograph.readiness();
      expect(status).toBe(503);
      expect(checks).toMatchObject({ ingest: 'ok', core: 'starting', 'redis (ingest)': 'ok', 'redis (core)': 'ok' });
      expect(checks.postgres).toContain('ECONNREFUSED');
    } finally {
      postgres = await postgres.again();
    }
    await odograph.ready();
    await eventually(async () => { expect(await countPositions(site.pool)).toBe(10); });
    expect(await odograph.end('SIGTERM')).toBe(0);
  });

  test('ends with 0 in time on SIGTERM, and what is not stored stays in the stream', async () => {
    const site = await openSite({ postgresUrl: await freshDatabaseOn(postgres.url) });
    const odograph = await startOdograph({ ...serversOf(site), SHUTDOWN_TIMEOUT_MS: '2000' });
    await odograph.ready();
    await postgres.stop();
    try {
      await send(await odograph.trackerPort(), 10, START);
      await eventually(async () => { expect(await countPending(site.redis)).toBe(1); });
      const startedAt = performance.now();
      expect(await odograph.end('SIGTERM')).toBe(0);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    } finally {
      postgres = await postgres.again();
    }
    const next = await startOdograph(serversOf(site));
    await next.ready();
    await eventually(async () => { expect(await countPositions(site.pool)).toBe(10); });
  });
});
