/** PostgreSQL and Redis away, frozen, back: what viewers see, and what is not lost. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { telemetryStreams } from '../../src/shared/contracts/telemetry-stream.ts';
import { groupsOf } from '../../src/shared/contracts/stream-info.ts';
import { append, frame, freshDatabaseOn, openSite, record } from '../core/support.ts';
import { startPrivatePostgres } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import type { PrivateServer } from '../support/private-server.ts';
import { startPrivateRedis } from '../support/redis.ts';
import { addDevices, addGroup, setState } from './fixtures.ts';
import { connect, openPreparedSite, prepareLive, signedIn, startLive } from './support.ts';

const [A, B] = ['356307042441001', '356307042441002'] as const;
const START = 1_700_000_000_000;

describe('PostgreSQL', () => {
  let postgres: PrivateServer;
  beforeAll(async () => { postgres = await startPrivatePostgres(); });
  afterAll(async () => { await postgres.stop(); });

  async function prepared() {
    const site = await openPreparedSite({ postgresUrl: await freshDatabaseOn(postgres.url) });
    await addDevices(site.pool, A, B);
    for (const device of [A, B]) await setState(site.pool, device, { ts: START });
    const groupId = await addGroup(site.pool, 'fleet', A);
    return { site, groupId, live: await startLive(site, { overrides: { LIVE_SNAPSHOT_TIMEOUT_MS: '1000', LIVE_DEVICE_EVENT_REFRESH_MS: '500' } }) };
  }

  test('stopped: live goes on; a snapshot fails with its code, and the subscription stands', async () => {
    const { site, live, groupId } = await prepared();
    const viewer = await signedIn(live.url);
    await viewer.subscribe(`group:${groupId}`);
    await postgres.stop();
    try {
      await append(site.redis, frame(A, [record(START + 1_000)]));
      await eventually(() => { expect(viewer.positions()).toMatchObject([{ ts: START + 1_000 }]); });
      const late = await signedIn(live.url);
      expect(await late.subscribe(`device:${B}`)).toMatchObject({ type: 'subscribed', snapshot: [] });
      expect(await late.next('error')).toMatchObject({ code: 'snapshot_unavailable', topic: `device:${B}` });
      await append(site.redis, frame(B, [record(START + 1_000)]));
      expect(await late.next('position')).toMatchObject({ position: { deviceId: B, ts: START + 1_000 } });
      // What is known without the database is in the snapshot.
      expect(await late.subscribe(`group:${groupId}`)).toMatchObject({ type: 'subscribed', snapshot: [{ deviceId: A, ts: START + 1_000 }] });
      expect(await live.metric('processor_live_snapshot_duration_seconds', { result: 'unavailable' })).toBeGreaterThan(0);
      expect(live.lines.filter(({ level }) => level >= 50)).toEqual([]);
    } finally {
      postgres = await postgres.again();
    }
    const after = await signedIn(live.url);
    await eventually(async () => {
      const answer = await after.subscribe(`device:${B}`);
      await after.roundTrip();
      expect(answer.snapshot).toMatchObject([{ ts: START + 1_000 }]);
      expect(after.received.filter(({ code, ref }) => code === 'snapshot_unavailable' && ref === answer.ref)).toEqual([]);
    });
  });

  test('away at the start: live starts; a group is filled when the database comes', async () => {
    const { site, groupId, live: first } = await prepared();
    await first.stop();
    await postgres.stop();
    const live = await startLive(site, { overrides: { LIVE_SNAPSHOT_TIMEOUT_MS: '500', LIVE_DEVICE_EVENT_REFRESH_MS: '300' } });
    const viewer = await signedIn(live.url);
    expect(await viewer.subscribe(`group:${groupId}`)).toMatchObject({ type: 'subscribed', snapshot: [] });
    postgres = await postgres.again();
    await eventually(() => { expect(viewer.positions()).toMatchObject([{ deviceId: A, ts: START }]); });
  });

  test('frozen: a subscription is answered all the same, in time', async () => {
    const { live } = await prepared();
    const viewer = await signedIn(live.url);
    await postgres.freeze();
    try {
      const startedAt = performance.now();
      expect(await viewer.subscribe(`device:${A}`)).toMatchObject({ type: 'subscribed', snapshot: [] });
      expect(performance.now() - startedAt).toBeLessThan(3_000);
      expect(await viewer.next('error')).toMatchObject({ code: 'snapshot_unavailable' });
    } finally {
      await postgres.thaw();
    }
    await eventually(async () => { expect((await viewer.subscribe(`device:${A}`)).snapshot).toMatchObject([{ ts: START }]); });
  });
});

describe('Redis', () => {
  async function onPrivateRedis(settings: Readonly<Record<string, string>> = {}) {
    const redis = await startPrivateRedis(settings);
    const site = await openPreparedSite({ redisUrl: redis.url });
    await addDevices(site.pool, A, B);
    return { redis, site };
  }

  test('frozen for a while: nothing that came meanwhile is missing, nothing comes twice', async () => {
    const { redis, site } = await onPrivateRedis();
    const live = await startLive(site, { overrides: { INGEST_APPEND_TIMEOUT_MS: '300' } });
    const viewer = await signedIn(live.url);
    await viewer.subscribe(`device:${A}`);
    await append(site.redis, frame(A, [record(START)]));
    await viewer.next('position');
    await redis.freeze();
    const during = append(site.redis, frame(A, [record(START + 1_000)]));
    await eventually(async () => { expect(await live.metric('processor_live_broadcast_reads_total', { result: 'error' })).toBeGreaterThan(0); });
    await redis.thaw();
    await during;
    await append(site.redis, frame(A, [record(START + 2_000)]));
    const expected = [START, START + 1_000, START + 2_000];
    await eventually(() => { expect(viewer.positions().map(({ ts }) => ts)).toEqual(expected); });
    await redis.stop();
  });

  test('restarted with its data: viewers stay connected, and the feed goes on', async () => {
    const { redis, site } = await onPrivateRedis({ appendonly: 'yes' });
    const live = await startLive(site);
    const viewer = await signedIn(live.url);
    await viewer.subscribe(`device:${A}`);
    await redis.stop();
    const again = await redis.again();
    await eventually(() => append(site.redis, frame(A, [record(START)])));
    await eventually(() => { expect(viewer.positions()).toMatchObject([{ ts: START }]); });
    await again.stop();
  });

  test('that comes back empty: the group is made again, and the feed goes on', async () => {
    const { redis, site } = await onPrivateRedis();
    const live = await startLive(site);
    const viewer = await signedIn(live.url);
    await viewer.subscribe(`device:${A}`);
    await append(site.redis, frame(A, [record(START)]));
    await viewer.next('position');
    await redis.kill();
    const again = await redis.again();
    await eventually(async () => { expect(await live.metric('processor_live_broadcast_groups_restored_total')).toBe(1); });
    await append(site.redis, frame(A, [record(START + 1_000)]));
    await eventually(() => { expect(viewer.positions().map(({ ts }) => ts)).toEqual([START, START + 1_000]); });
    await again.stop();
  });

  test('away at the start: an upgrade is refused with 503 until it comes', async () => {
    const { redis, site } = await onPrivateRedis();
    await redis.stop();
    const { live, metric } = prepareLive(site);
    const started = live.start();
    const url = await eventually(() => `ws://127.0.0.1:${live.port}/live`);
    await expect(connect(url)).rejects.toThrow('status 503');
    expect(live.isStarted).toBe(false);
    expect(await metric('processor_live_rejections_total', { reason: 'not_ready' })).toBe(1);
    const again = await redis.again();
    await started;
    await signedIn(url);
    await again.stop();
  });
});

describe('the consumer group', () => {
  const streams = telemetryStreams(2);

  test('that somebody removes is made again where it was: nothing is missing', async () => {
    const site = await openPreparedSite();
    await addDevices(site.pool, A, B);
    const live = await startLive(site);
    const viewer = await signedIn(live.url);
    await viewer.subscribe('*');
    await append(site.redis, frame(A, [record(START)]), frame(B, [record(START)]));
    await eventually(() => { expect(viewer.positions()).toHaveLength(2); });
    const transaction = site.redis.multi();
    for (const stream of streams) {
      for (const { name } of await groupsOf(site.redis, stream)) transaction.xgroup('DESTROY', stream, name);
    }
    await transaction.exec();
    await append(site.redis, ...[A, B].map((device) => frame(device, [record(START + 1_000)])));
    await eventually(() => { expect(viewer.positions()).toHaveLength(4); });
    expect(await live.metric('processor_live_broadcast_groups_restored_total')).toBeGreaterThan(0);
  });

  test('is gone after a stop, and that of a dead process is removed by another', async () => {
    const site = await openSite();
    await append(site.redis, frame(A, [record(START)]));
    const [live, other] = [await startLive(site), await startLive(site)];
    for (const stream of streams) expect(await groupsOf(site.redis, stream)).toHaveLength(2);
    await live.stop();
    for (const stream of streams) expect(await groupsOf(site.redis, stream)).toHaveLength(1);
    expect(await site.redis.keys('live-broadcast:*')).toHaveLength(1);
    await other.stop();
    await site.redis.xgroup('CREATE', streams[0]!, 'live-broadcast:dead:0123', '$');
    await site.redis.xgroup('CREATE', streams[0]!, 'somebody-else', '$');
    const third = await startLive(site);
    await eventually(async () => { expect(await third.metric('processor_live_broadcast_groups_reaped_total')).toBe(1); });
    expect((await groupsOf(site.redis, streams[0]!)).map(({ name }) => name)).toEqual(expect.arrayContaining(['somebody-else']));
    expect(await groupsOf(site.redis, streams[0]!)).toHaveLength(2);
  });

  test('two processes of one name each show everything', async () => {
    const site = await openPreparedSite();
    await addDevices(site.pool, A, B);
    const lives = [await startLive(site), await startLive(site)];
    const viewers = await Promise.all(lives.map(({ url }) => signedIn(url)));
    await Promise.all(viewers.map((viewer) => viewer.subscribe('*')));
    for (let n = 0; n < 20; n += 1) {
      await append(site.redis, ...[A, B].map((device) => frame(device, [record(START + n)])));
    }
    for (const viewer of viewers) await eventually(() => { expect(viewer.positions()).toHaveLength(40); });
  });
});
