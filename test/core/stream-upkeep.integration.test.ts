/** Trimming and measuring: what everybody has acknowledged goes in time, and not an entry more. */
import { expect, test } from 'vitest';
import type { Redis } from '../../src/shared/redis.ts';
import { LagMeter } from '../../src/core/lag-meter.ts';
import type { Retention } from '../../src/core/stream-upkeep.ts';
import { measure, removeDeadConsumers, trim } from '../../src/core/stream-upkeep.ts';
import { createRedis } from '../support/redis.ts';
import { eventually } from '../support/eventually.ts';
import {
  STREAMS, allStored, append, countPositions, frame, metric, openRedis, openSite, record, records, startCore, streamOf,
} from './support.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const [STREAM] = STREAMS;
/** Redis removes whole nodes of a stream: what is in one with an entry that is kept stays. */
const NODE = 100;

/** A retention by time alone. */
function forMs(ms: number): Retention {
  return { ms, bytes: Number.POSITIVE_INFINITY };
}

async function emptyRedis(): Promise<Redis> {
  return openRedis((await createRedis()).url);
}

/** Appends entries that are `ageMs` old. @returns their ids, oldest first */
async function appendOld(redis: Redis, count: number, ageMs: number): Promise<string[]> {
  const [seconds] = await redis.time();
  const pipeline = redis.pipeline();
  for (let n = 0; n < count; n += 1) pipeline.xadd(STREAM, `${Number(seconds) * 1_000 - ageMs}-${n}`, 'n', n);
  const results = (await pipeline.exec()) ?? [];
  return results.map(([, id]) => String(id));
}

async function deliverAll(redis: Redis): Promise<void> {
  await redis.xgroup('CREATE', STREAM, 'processor', '0', 'MKSTREAM');
  await redis.xreadgroup('GROUP', 'processor', 'one', 'COUNT', 100_000, 'STREAMS', STREAM, '>');
}

async function firstId(redis: Redis): Promise<string | undefined> {
  const [first] = await redis.xrange(STREAM, '-', '+', 'COUNT', 1);
  return first?.[0];
}

test('entries that are acknowledged and older than the retention are removed', async () => {
  const redis = await emptyRedis();
  const old = await appendOld(redis, 1_000, 60_000);
  const young = await appendOld(redis, 50, 10_000);
  await deliverAll(redis);
  await redis.xack(STREAM, 'processor', ...old, ...young);
  const removed = await trim(redis, STREAM, forMs(30_000));
  expect(removed).toBeGreaterThan(1_000 - NODE);
  expect(removed).toBeLessThanOrEqual(1_000);
  expect(await redis.xlen(STREAM)).toBe(1_050 - removed);
});

test('one call removes all there is to remove, however much', async () => {
  const redis = await emptyRedis();
  const ids = await appendOld(redis, 25_000, 60_000);
  await deliverAll(redis);
  await redis.xack(STREAM, 'processor', ...ids);
  expect(await trim(redis, STREAM, forMs(0))).toBeGreaterThan(25_000 - NODE);
});

test('nothing from the first pending entry on is removed', async () => {
  const redis = await emptyRedis();
  const ids = await appendOld(redis, 1_000, 60_000);
  await deliverAll(redis);
  await redis.xack(STREAM, 'processor', ...ids.toSpliced(500, 1));
  const removed = await trim(redis, STREAM, forMs(0));
  expect(removed).toBeGreaterThan(500 - NODE);
  expect(removed).toBeLessThanOrEqual(500);
  expect(await redis.xrange(STREAM, ids[500]!, ids[500]!)).toHaveLength(1);
});

test('entries that are ahead of a clock of Redis that has fallen back are kept by their groups alone', async () => {
  const redis = await emptyRedis();
  const ids = await appendOld(redis, 1_000, -86_400_000);
  await deliverAll(redis);
  await redis.xack(STREAM, 'processor', ...ids.toSpliced(900, 1));
  expect(await trim(redis, STREAM, forMs(86_500_000))).toBe(0);
  expect(await trim(redis, STREAM, forMs(60_000))).toBeGreaterThan(900 - NODE);
  expect(await redis.xrange(STREAM, ids[900]!, ids[900]!)).toHaveLength(1);
});

const HOUR_MS = 3_600_000;

test('of a stream that is too large acknowledged entries go before their time, but for what fits', async () => {
  const redis = await emptyRedis();
  const ids = await appendOld(redis, 10_000, 0);
  await deliverAll(redis);
  await redis.xack(STREAM, 'processor', ...ids);
  const all = (await redis.memory('USAGE', STREAM)) ?? 0;
  // Redis looks at some nodes only: its figure is an estimate.
  expect(await trim(redis, STREAM, { ms: HOUR_MS, bytes: 1.2 * all })).toBe(0);
  const bytes = all / 4;
  const removed = await trim(redis, STREAM, { ms: HOUR_MS, bytes });
  expect(removed).toBeGreaterThan(7_000);
  expect(removed).toBeLessThan(8_000);
  expect(await redis.xlen(STREAM)).toBe(10_000 - removed);
  expect(await redis.memory('USAGE', STREAM)).toBeLessThan(1.2 * bytes);
});

test('however large a stream is, nothing from the first pending entry on is removed', async () => {
  const redis = await emptyRedis();
  const ids = await appendOld(redis, 1_000, 0);
  await deliverAll(redis);
  await redis.xack(STREAM, 'processor', ...ids.toSpliced(500, 1));
  const removed = await trim(redis, STREAM, { ms: HOUR_MS, bytes: 0 });
  expect(removed).toBeGreaterThan(500 - NODE);
  expect(removed).toBeLessThanOrEqual(500);
  expect(await redis.xrange(STREAM, ids[500]!, ids[500]!)).toHaveLength(1);
});

test('however large a stream is, a live server has its time to read it', async () => {
  const redis = await emptyRedis();
  const ids = await appendOld(redis, 1_000, 60_000);
  await redis.xgroup('CREATE', STREAM, 'live:1', ids[500]!);
  await deliverAll(redis);
  await redis.xack(STREAM, 'processor', ...ids);
  const tooLarge = { ms: HOUR_MS, bytes: 0 };
  const removed = await trim(redis, STREAM, tooLarge);
  expect(removed).toBeGreaterThan(500 - NODE);
  expect(removed).toBeLessThanOrEqual(501);
  expect(await redis.xrange(STREAM, ids[501]!, ids[501]!)).toHaveLength(1);
  await redis.xreadgroup('GROUP', 'live:1', 'one', 'COUNT', 100_000, 'NOACK', 'STREAMS', STREAM, '>');
  expect(removed + (await trim(redis, STREAM, tooLarge))).toBeGreaterThan(1_000 - NODE);
});

test('nothing that was not delivered is removed', async () => {
  const redis = await emptyRedis();
  const delivered = await appendOld(redis, 300, 60_000);
  await deliverAll(redis);
  await redis.xack(STREAM, 'processor', ...delivered);
  const waiting = await appendOld(redis, 300, 50_000);
  await trim(redis, STREAM, forMs(0));
  const left = await redis.xrange(STREAM, '-', '+');
  expect(left.map(([id]) => id).slice(-300)).toEqual(waiting);
});

test('nothing is removed while the group does not exist, or the stream does not', async () => {
  const redis = await emptyRedis();
  expect(await trim(redis, STREAM, forMs(0))).toBe(0);
  const [first] = await appendOld(redis, 1_000, 60_000);
  expect(await trim(redis, STREAM, forMs(0))).toBe(0);
  await redis.xgroup('CREATE', STREAM, 'live:1', '$');
  expect(await trim(redis, STREAM, forMs(0))).toBe(0);
  expect(await firstId(redis)).toBe(first);
});

test('a group that nobody waits for keeps nothing', async () => {
  const redis = await emptyRedis();
  const ids = await appendOld(redis, 1_000, 60_000);
  await redis.xgroup('CREATE', STREAM, 'live:1', '0');
  await deliverAll(redis);
  await redis.xack(STREAM, 'processor', ...ids);
  expect(await trim(redis, STREAM, forMs(0))).toBeGreaterThan(1_000 - NODE);
});

test('a consumer with something pending is never removed, whatever its silence', async () => {
  const redis = await emptyRedis();
  expect(await removeDeadConsumers(redis, STREAM, 0)).toEqual([]);
  await appendOld(redis, 1, 60_000);
  await deliverAll(redis);
  await redis.xgroup('CREATECONSUMER', STREAM, 'processor', 'silent');
  await eventually(async () => { expect(await removeDeadConsumers(redis, STREAM, 0)).toEqual(['silent']); });
  expect(await removeDeadConsumers(redis, STREAM, 0)).toEqual([]);
  expect((await measure(redis, [STREAM], new LagMeter())).pending).toBe(1);
});

test('lag, pending and length are those of all partitions; without a group the lag is not known', async () => {
  const redis = await emptyRedis();
  expect(await measure(redis, STREAMS, new LagMeter())).toEqual({ entries: 0, pending: 0, lag: undefined });
  await appendOld(redis, 10, 60_000);
  await redis.xadd(STREAMS[1], '*', 'n', 1);
  expect(await measure(redis, STREAMS, new LagMeter())).toEqual({ entries: 11, pending: 0, lag: undefined });
  for (const stream of STREAMS) await redis.xgroup('CREATE', stream, 'processor', '0');
  await redis.xreadgroup('GROUP', 'processor', 'one', 'COUNT', 4, 'STREAMS', STREAM, '>');
  expect(await measure(redis, STREAMS, new LagMeter())).toEqual({ entries: 11, pending: 4, lag: 7 });
});

test('while trimming runs beside reading and writing, all that is appended is stored', async () => {
  const site = await openSite();
  const settings = { STREAM_TRIM_INTERVAL_MS: '100', STREAM_RETENTION_MS: '0', PROCESSOR_BATCH_RECORDS: '50' };
  const running = await Promise.all([startCore(site, settings), startCore(site, { ...settings, INSTANCE_ID: 'two' })]);
  let sent = 0;
  // Goes on until trimming has happened many times beside it.
  await eventually(async () => {
    const frames = Array.from({ length: 200 }, (_, n) => frame(`device ${n % 20}`, [record(NOW + sent + n)]));
    await append(site.redis, ...frames);
    sent += frames.length;
    const trimmed = await metric(running[0].registry, 'odograph_core_trimmed_entries_total')
      + await metric(running[1].registry, 'odograph_core_trimmed_entries_total');
    expect(trimmed).toBeGreaterThan(10_000);
  }, { timeoutMs: 30_000 });
  await allStored(site, sent);
  await eventually(async () => {
    for (const stream of STREAMS) expect(await site.redis.xlen(stream)).toBeLessThanOrEqual(NODE);
  });
}, 20_000);

test('acknowledged entries stay for STREAM_RETENTION_MS', async () => {
  const site = await openSite();
  const running = await startCore(site, { STREAM_RETENTION_MS: '600000' });
  await append(site.redis, ...records(300, NOW).map((one) => frame('a', [one])));
  await allStored(site, 300);
  await site.redis.xtrim(streamOf('b'), 'MAXLEN', 0);
  expect(await site.redis.xlen(streamOf('a'))).toBe(300);
  expect(await metric(running.registry, 'odograph_core_trimmed_entries_total')).toBe(0);
  expect(await countPositions(site.pool)).toBe(300);
});

test('acknowledged entries that do not fit into STREAM_RETENTION_BYTES go before', async () => {
  const site = await openSite();
  await startCore(site, { STREAM_RETENTION_MS: '600000', STREAM_RETENTION_BYTES: '0', STREAM_TRIM_INTERVAL_MS: '100' });
  await append(site.redis, ...records(300, NOW).map((one) => frame('a', [one])));
  await allStored(site, 300);
  await eventually(async () => { expect(await site.redis.xlen(streamOf('a'))).toBeLessThanOrEqual(NODE); });
  expect(await countPositions(site.pool)).toBe(300);
});
