/** A Redis that restarts, is frozen or refuses a command: nothing in hand is taken twice, nothing is left behind. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Redis } from '../../src/shared/redis.ts';
import { waitForRedis } from '../../src/shared/redis.ts';
import { eventually } from '../support/eventually.ts';
import type { PrivateServer } from '../support/private-server.ts';
import { startPrivateRedis } from '../support/redis.ts';
import type { Site } from './support.ts';
import {
  allStored, append, countPending, deadLetters, frame, holdTransaction, metric, openSite, record, records, startCore,
  streamOf, value, waitingForLock,
} from './support.ts';

const NOW = Date.UTC(2026, 10, 20, 12);

let server: PrivateServer;
let site: Site;

beforeAll(async () => { server = await startPrivateRedis({ appendonly: 'yes', appendfsync: 'always' }); });
afterAll(async () => { await server.stop(); });
beforeEach(async () => {
  site = await openSite({ redisUrl: server.url });
  await site.redis.flushall();
});

async function restart(): Promise<void> {
  await server.kill();
  server = await server.again();
  await waitForRedis(site.redis, AbortSignal.timeout(10_000));
}

/** How often each pending entry was delivered. */
async function deliveries(redis: Redis, stream: string): Promise<number[]> {
  const rows = (await redis.xpending(stream, 'processor', '-', '+', 1_000)) as [string, string, number, number][];
  return rows.map(([, , , count]) => count);
}

test('restarted while entries are in hand: none is taken twice, and waiting does not count as a failed delivery', async () => {
  const running = await startCore(site);
  const held = await holdTransaction(site.pool, 'lock table positions in access exclusive mode');
  await append(site.redis, ...Array.from({ length: 30 }, (_, n) => frame('a', [record(NOW + n)])));
  await eventually(async () => { expect(await waitingForLock(site.pool)).not.toEqual([]); });
  await eventually(async () => { expect(await countPending(site.redis)).toBe(30); });
  const errors = (): Promise<number> => metric(running.registry, 'processor_consumer_reads_total', { result: 'error' });
  for (let restarts = 1; restarts <= 3; restarts += 1) {
    await restart();
    await append(site.redis, frame('a', [record(NOW + 30 + restarts)]));
    await eventually(async () => { expect(await countPending(site.redis)).toBe(30 + restarts); });
    expect(await errors()).toBeGreaterThanOrEqual(restarts);
  }
  expect(await deliveries(site.redis, streamOf('a'))).toEqual(Array.from({ length: 33 }, () => 1));
  await held.end();
  await allStored(site, 33);
  expect(await metric(running.registry, 'processor_consumer_records_total')).toBe(33);
  expect(await metric(running.registry, 'processor_position_writes_total', { status: 'duplicate' })).toBe(0);
});

test('restarted without what it had not synchronised: entries are read again from the beginning', async () => {
  const running = await startCore(site);
  await append(site.redis, frame('a', records(5, NOW)));
  await allStored(site, 5);
  await site.redis.flushall();
  await restart();
  await append(site.redis, frame('a', records(5, NOW + 60_000)));
  await allStored(site, 10);
  expect(await metric(running.registry, 'odograph_core_groups_recreated_total')).toBe(2);
});

test('restarted while entries are being acknowledged: they are acknowledged afterwards', async () => {
  const running = await startCore(site);
  const held = await holdTransaction(site.pool, 'lock table positions in access exclusive mode');
  await append(site.redis, frame('a', records(5, NOW)));
  await eventually(async () => { expect(await waitingForLock(site.pool)).not.toEqual([]); });
  await server.kill();
  await held.end();
  await eventually(async () => { expect(await value(site.pool, 'select count(*) from positions')).toBe(5); });
  server = await server.again();
  await waitForRedis(site.redis, AbortSignal.timeout(10_000));
  await allStored(site, 5);
  expect(await metric(running.registry, 'processor_acks_total')).toBe(1);
});

test('frozen: reads fail in time, and go on with the server', async () => {
  const running = await startCore(site, { INGEST_APPEND_TIMEOUT_MS: '200', PROCESSOR_CLAIM_IDLE_MS: '1000' });
  await append(site.redis, frame('a', records(5, NOW)));
  await allStored(site, 5);
  // Sent now and answered after the reader has given up: what that answer delivers must not be left behind.
  await server.freeze();
  const appended = append(site.redis, frame('a', records(5, NOW + 60_000)));
  try {
    await eventually(async () => {
      expect(await metric(running.registry, 'processor_consumer_reads_total', { result: 'error' })).toBeGreaterThan(0);
    });
  } finally {
    await server.thaw();
  }
  await appended;
  await allStored(site, 10);
});

test('entries whose claim fails halfway are claimed again, not forgotten in hand', async () => {
  const stream = streamOf('a');
  await site.redis.xgroup('CREATE', stream, 'processor', '0', 'MKSTREAM');
  await append(site.redis, frame('a', records(5, NOW)));
  await site.redis.xreadgroup('GROUP', 'processor', 'dead', 'STREAMS', stream, '>');
  const running = await startCore(site, { PROCESSOR_CLAIM_IDLE_MS: '400' });
  await site.redis.call('ACL', 'SETUSER', 'default', '-xpending');
  await eventually(() => running.lines.some(({ msg }) => msg.startsWith('claiming entries failed')));
  expect(await metric(running.registry, 'processor_consumer_records_total')).toBe(0);
  await site.redis.call('ACL', 'SETUSER', 'default', '+xpending');
  await allStored(site, 5);
});

test('dead letters that cannot be kept are kept later, and their entries are not acknowledged before', async () => {
  const running = await startCore(site);
  await site.redis.call('ACL', 'SETUSER', 'default', 'resetkeys', '~telemetry:{*');
  await site.redis.xadd(streamOf('a'), '*', 'version', '7');
  await eventually(() => running.lines.some(({ msg }) => msg.startsWith('acknowledging stream entries failed')));
  expect(await countPending(site.redis)).toBe(1);
  expect(await metric(running.registry, 'odograph_core_dead_letters_total')).toBe(0);
  await site.redis.call('ACL', 'SETUSER', 'default', 'allkeys');
  await allStored(site, 0);
  expect(await deadLetters(site.redis)).toMatchObject([{ reason: 'malformed_entry' }]);
});
