/** The duties of the consumer group `processor`: nothing that was appended is left behind, whoever dies. */
import { expect, test } from 'vitest';
import type { Redis } from '../../src/shared/redis.ts';
import { eventually } from '../support/eventually.ts';
import {
  STREAMS, allStored, append, deadLetters, frame, metric, openSite, record, records, startCore, streamOf, value,
} from './support.ts';

const NOW = Date.UTC(2026, 10, 20, 12);

async function consumersOf(redis: Redis, stream: string): Promise<string[]> {
  const rows = (await redis.xinfo('CONSUMERS', stream, 'processor')) as unknown[][];
  return rows.map((row) => String(row[row.indexOf('name') + 1]));
}

/** Delivers everything new to a consumer that then does nothing with it. */
async function readAs(redis: Redis, consumer: string, stream: string): Promise<void> {
  await redis.xreadgroup('GROUP', 'processor', consumer, 'COUNT', 1_000, 'STREAMS', stream, '>');
}

test('reads what was appended before the first start', async () => {
  const site = await openSite();
  await append(site.redis, frame('a', records(3, NOW)), frame('b', records(2, NOW)));
  await startCore(site);
  await allStored(site, 5);
});

test('reads what was delivered to its name before a restart, and before anything new', async () => {
  const site = await openSite();
  const stream = streamOf('a');
  await site.redis.xgroup('CREATE', stream, 'processor', '0', 'MKSTREAM');
  const ids = await append(site.redis, ...Array.from({ length: 30 }, (_, n) => frame('a', [record(NOW + n)], 1_000 + n)));
  await readAs(site.redis, 'one', stream);
  const [newId] = await append(site.redis, frame('a', [record(NOW + 99)], 9_999));
  const running = await startCore(site, { PROCESSOR_READ_COUNT: '7', PROCESSOR_WRITERS: '1', PROCESSOR_BATCH_RECORDS: '1' });
  await allStored(site, 31);
  const order = await site.pool.query('select received_at from positions order by xmin::text::bigint');
  expect(order.rows.map((row: { received_at: number }) => row.received_at))
    .toEqual([...ids.map((_, n) => 1_000 + n), 9_999]);
  expect(newId).toBeDefined();
  expect(await metric(running.registry, 'processor_acks_total')).toBe(31);
});

test('takes over the entries of a dead consumer', async () => {
  const site = await openSite();
  const stream = streamOf('a');
  await site.redis.xgroup('CREATE', stream, 'processor', '0', 'MKSTREAM');
  await append(site.redis, ...Array.from({ length: 25 }, (_, n) => frame('a', [record(NOW + n)])));
  await readAs(site.redis, 'dead', stream);
  const running = await startCore(site, { PROCESSOR_CLAIM_IDLE_MS: '300', PROCESSOR_READ_COUNT: '10' });
  await allStored(site, 25);
  expect(await metric(running.registry, 'odograph_core_claimed_entries_total')).toBe(25);
  expect(running.lines.filter(({ msg }) => msg.includes('dead consumer')).length).toBeGreaterThan(0);
});

test('turns an entry that was delivered too often into a dead letter with its payload, and acknowledges it', async () => {
  const site = await openSite();
  const stream = streamOf('a');
  await site.redis.xgroup('CREATE', stream, 'processor', '0', 'MKSTREAM');
  const [id = ''] = await append(site.redis, frame('a', [record(NOW)], 1_234));
  await readAs(site.redis, 'one', stream);
  await site.redis.call('XCLAIM', stream, 'processor', 'one', 0, id, 'RETRYCOUNT', 3);
  await append(site.redis, frame('a', [record(NOW + 1)]));
  const running = await startCore(site, { MAX_DELIVERIES: '3' });
  await allStored(site, 1);
  const letters = await deadLetters(site.redis);
  expect(letters).toMatchObject([{
    reason: 'max_deliveries', deviceId: 'a', protocol: 'teltonika', origin: `${stream}/${id}`,
    message: 'delivered 4 times and never completed',
  }]);
  expect(JSON.parse(letters[0]?.payload ?? '')).toMatchObject({ device: 'a', count: '1', receivedAt: '1234' });
  expect(await metric(running.registry, 'odograph_core_dead_letters_total', { reason: 'max_deliveries' })).toBe(1);
});

test('an entry delivered as often as allowed is stored', async () => {
  const site = await openSite();
  const stream = streamOf('a');
  await site.redis.xgroup('CREATE', stream, 'processor', '0', 'MKSTREAM');
  const [id = ''] = await append(site.redis, frame('a', [record(NOW)]));
  await readAs(site.redis, 'one', stream);
  await site.redis.call('XCLAIM', stream, 'processor', 'one', 0, id, 'RETRYCOUNT', 2);
  await startCore(site, { MAX_DELIVERIES: '3' });
  await allStored(site, 1);
});

test('removes dead consumers that have nothing pending, and no others', async () => {
  const site = await openSite();
  const stream = streamOf('a');
  await site.redis.xgroup('CREATE', stream, 'processor', '0', 'MKSTREAM');
  await append(site.redis, frame('a', [record(NOW)]));
  await readAs(site.redis, 'dead with an entry', stream);
  await readAs(site.redis, 'dead', stream);
  await site.redis.xgroup('CREATECONSUMER', stream, 'processor', 'dead');
  await startCore(site, { PROCESSOR_CONSUMER_EXPIRY_MS: '1000' });
  await eventually(async () => {
    await append(site.redis, frame('a', [record(Date.now())]));
    expect((await consumersOf(site.redis, stream)).sort()).toEqual(['dead with an entry', 'one']);
  });
});

test('an entry that was deleted from the stream while it was pending is acknowledged', async () => {
  const site = await openSite();
  const stream = streamOf('a');
  await site.redis.xgroup('CREATE', stream, 'processor', '0', 'MKSTREAM');
  const [id = ''] = await append(site.redis, frame('a', [record(NOW)]), frame('a', [record(NOW + 1)]));
  await readAs(site.redis, 'one', stream);
  await site.redis.xdel(stream, id);
  await startCore(site);
  await allStored(site, 1);
});

test('a group that is deleted while running is an error, is created again at the beginning, and nothing is lost', async () => {
  const site = await openSite();
  const running = await startCore(site);
  await append(site.redis, frame('a', records(5, NOW)));
  await allStored(site, 5);
  await site.redis.xgroup('DESTROY', streamOf('a'), 'processor');
  await append(site.redis, frame('a', records(5, NOW + 60_000)));
  await allStored(site, 10);
  expect(await metric(running.registry, 'odograph_core_groups_recreated_total')).toBe(1);
  expect(running.lines.filter(({ level }) => level >= 50)).toMatchObject([{ streams: [streamOf('a')] }]);
  expect(await metric(running.registry, 'processor_position_writes_total', { status: 'duplicate' })).toBe(5);
  expect(await value(site.pool, 'select records from device_state')).toBe(10);
});

test('goes on with a Redis that comes back empty', async () => {
  const site = await openSite();
  const running = await startCore(site);
  await append(site.redis, frame('a', records(5, NOW)));
  await allStored(site, 5);
  await site.redis.flushdb();
  await append(site.redis, frame('a', records(5, NOW + 60_000)));
  await allStored(site, 10);
  expect(await metric(running.registry, 'odograph_core_groups_recreated_total')).toBe(STREAMS.length);
  // One loss is one line, however many partitions it has hit.
  expect(running.lines.filter(({ level }) => level >= 50)).toMatchObject([{ streams: STREAMS }]);
});
