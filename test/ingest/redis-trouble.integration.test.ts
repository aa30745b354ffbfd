/** Acknowledges only after the append: with a Redis that hangs, dies, or is full. */
import { afterEach, describe, expect, it } from 'vitest';
import { startPrivateRedis } from '../support/redis.ts';
import type { PrivateServer } from '../support/private-server.ts';
import { eventually } from '../support/eventually.ts';
import type { TestIngest } from './support.ts';
import { endServer, entriesIn, lookInto, recordsOf, startIngest } from './support.ts';
import type { Tracker } from './tracker.ts';
import { connectTracker, dataFrame, loggedIn, newImei } from './tracker.ts';

const FAILURES = 'odograph_ingest_append_failures_total';
const PAUSED = 'odograph_ingest_paused_sockets';
const QUEUE = 'odograph_ingest_append_queue_bytes';
const TS = 1_690_000_000_000;
const MIB = 1024 * 1024;

let server: PrivateServer;

afterEach(async () => {
  await endServer(server);
});

/** Trackers that have logged in. */
async function fleet(ingest: TestIngest, size: number): Promise<{ imei: string; tracker: Tracker }[]> {
  return Promise.all(Array.from({ length: size }, async () => {
    const imei = newImei();
    return { imei, tracker: await loggedIn(ingest.port(), imei) };
  }));
}

function appending(ingest: TestIngest): string[] {
  return ingest.log.map(({ msg }) => msg).filter((msg) => /^(cannot append|appending again)/.test(msg));
}

describe('Redis frozen', () => {
  it('acknowledges only after the append: nothing leaves meanwhile, sockets pause, no time-out fires, then all of it', async () => {
    server = await startPrivateRedis();
    const limits = { INGEST_MAX_PENDING_FRAMES: '4', INGEST_IDLE_TIMEOUT_MS: '400', INGEST_FRAME_TIMEOUT_MS: '400' };
    const ingest = await startIngest(server.url, limits);
    const trackers = await fleet(ingest, 3);
    await server.freeze();
    const frames = Array.from({ length: 40 }, (_, index) => dataFrame(2, TS + index * 10_000));
    for (const { tracker } of trackers) tracker.send(...frames.slice(0, 5));
    await eventually(async () => { expect(await ingest.metric(PAUSED)).toBe(3); });
    // Behind a frame that waits another is begun; time passes that would end an idle or a slow tracker.
    for (const { tracker } of trackers) tracker.send(...frames.slice(5), dataFrame().subarray(0, 20));
    await eventually(async () => { expect(await ingest.metric(FAILURES)).toBeGreaterThanOrEqual(1); });
    const failedAt = performance.now();
    await eventually(() => performance.now() - failedAt > 600);
    for (const { tracker } of trackers) {
      expect(tracker.received).toHaveLength(1);
      expect(tracker.isClosed).toBe(false);
    }
    await server.thaw();
    const redis = lookInto(server.url);
    for (const { tracker, imei } of trackers) {
      for (let count = 0; count < 40; count += 1) expect(await tracker.acknowledgement()).toBe(2);
      const kept = new Set((await recordsOf(redis, imei)).map(({ ts }) => ts));
      expect(kept.size).toBe(80);
    }
    expect(await ingest.metric(PAUSED)).toBe(0);
    expect(await ingest.metric(QUEUE)).toBe(0);
    expect(appending(ingest)).toHaveLength(2);
    // From now on silence is the tracker's own again.
    await Promise.all(trackers.map(({ tracker }) => tracker.closed()));
    expect(await ingest.metric('odograph_ingest_rejections_total', { reason: 'frame_timeout' })).toBe(3);
  });

  it('holds one copy of an append, however often it was tried: a connection that hangs is given up with what it holds', async () => {
    server = await startPrivateRedis();
    const ingest = await startIngest(server.url, { INGEST_APPEND_TIMEOUT_MS: '100' });
    const imei = newImei();
    const tracker = await loggedIn(ingest.port(), imei);
    await server.freeze();
    tracker.send(dataFrame(1));
    await eventually(async () => { expect(await ingest.metric(FAILURES)).toBeGreaterThan(0); });
    const failedAt = performance.now();
    await eventually(() => performance.now() - failedAt > 1_500);
    await server.thaw();
    expect(await tracker.acknowledgement()).toBe(1);
    // Redis may still execute the one that it had received before it hung.
    expect((await recordsOf(lookInto(server.url), imei)).length).toBeLessThanOrEqual(2);
  });

  it('does not close at once a tracker that was acknowledged late', async () => {
    server = await startPrivateRedis();
    const ingest = await startIngest(server.url, { INGEST_IDLE_TIMEOUT_MS: '700', INGEST_APPEND_TIMEOUT_MS: '5000' });
    const tracker = await loggedIn(ingest.port(), newImei());
    await server.freeze();
    tracker.send(dataFrame(1));
    const sentAt = performance.now();
    await eventually(() => performance.now() - sentAt > 1_000);
    await server.thaw();
    expect(await tracker.acknowledgement()).toBe(1);
    const answeredAt = performance.now();
    await tracker.closed();
    expect(performance.now() - answeredAt).toBeGreaterThan(500);
  });

  it('bounds what waits, pauses every socket from then on, and takes all of it afterwards', async () => {
    server = await startPrivateRedis();
    const ingest = await startIngest(server.url, {
      INGEST_APPEND_QUEUE_BYTES: String(MIB), INGEST_MAX_PENDING_FRAMES: '1024', INGEST_LOGIN_TIMEOUT_MS: '60000',
    });
    const trackers = await fleet(ingest, 40);
    const idle = await loggedIn(ingest.port(), newImei());
    await server.freeze();
    const perTracker = 60;
    let highest = 0;
    const watch = setInterval(() => {
      void ingest.metric(QUEUE).then((bytes) => { highest = Math.max(highest, bytes); });
    }, 1);
    for (const { tracker } of trackers) {
      for (let index = 0; index < perTracker; index += 1) tracker.send(dataFrame(10, TS + index * 10_000));
    }
    await eventually(async () => { expect(await ingest.metric(PAUSED)).toBe(41); });
    // One that comes now is not read either, however long that takes.
    const late = await connectTracker(ingest.port());
    await eventually(async () => { expect(await ingest.metric(PAUSED)).toBe(42); });
    const lateImei = newImei();
    await server.thaw();
    for (const { tracker } of trackers) {
      for (let index = 0; index < perTracker; index += 1) expect(await tracker.acknowledgement()).toBe(10);
    }
    await late.logIn(lateImei);
    idle.send(dataFrame(1));
    expect(await idle.acknowledgement()).toBe(1);
    clearInterval(watch);
    // Above the limit by no more than what one read of one socket brought, as JSON.
    expect(highest).toBeGreaterThanOrEqual(MIB);
    expect(highest).toBeLessThan(3 * MIB);
    const kept = (await entriesIn(lookInto(server.url))).filter(({ records }) => records.length === 10);
    const different = new Set(kept.map(({ deviceId, records: [first] }) => `${deviceId} ${first!.ok && first!.record.ts}`));
    expect(different.size).toBe(40 * perTracker);
    expect(await ingest.metric(PAUSED)).toBe(0);
  });

  it('does not keep connections that nobody has time to read: they end as overloaded', async () => {
    server = await startPrivateRedis();
    const limits = { INGEST_APPEND_QUEUE_BYTES: String(MIB), INGEST_MAX_PENDING_FRAMES: '1024', INGEST_LOGIN_TIMEOUT_MS: '300' };
    const ingest = await startIngest(server.url, limits);
    const tracker = await loggedIn(ingest.port(), newImei());
    await server.freeze();
    for (let index = 0; index < 600; index += 1) tracker.send(dataFrame(50));
    await eventually(async () => { expect(await ingest.metric(PAUSED)).toBe(1); });
    const late = await connectTracker(ingest.port());
    await late.closed();
    expect(await ingest.metric('odograph_ingest_rejections_total', { reason: 'overloaded' })).toBe(1);
    expect(tracker.isClosed).toBe(false);
  });
});

describe('Redis killed and started again', () => {
  it('appends and acknowledges the frames under way without the tracker sending them again', async () => {
    server = await startPrivateRedis({ appendonly: 'yes' });
    const ingest = await startIngest(server.url);
    const trackers = await fleet(ingest, 5);
    for (const { tracker } of trackers) tracker.send(dataFrame(1));
    for (const { tracker } of trackers) expect(await tracker.acknowledgement()).toBe(1);
    await server.kill();
    for (const { tracker } of trackers) tracker.send(dataFrame(4, 1_691_000_000_000));
    await eventually(async () => { expect(await ingest.metric(QUEUE)).toBeGreaterThan(0); });
    server = await server.again();
    for (const { tracker } of trackers) expect(await tracker.acknowledgement()).toBe(4);
    const redis = lookInto(server.url);
    for (const { imei } of trackers) expect(await recordsOf(redis, imei)).toHaveLength(5);
  });

  it('loses nothing that was acknowledged before a kill under load', async () => {
    server = await startPrivateRedis({ appendonly: 'yes' });
    const ingest = await startIngest(server.url);
    const trackers = await fleet(ingest, 10);
    const perTracker = 50;
    const acknowledged = trackers.map(async ({ tracker }) => {
      for (let index = 0; index < perTracker; index += 1) {
        tracker.send(dataFrame(1, TS + index * 1_000));
        expect(await tracker.acknowledgement()).toBe(1);
      }
    });
    await eventually(async () => { expect(await ingest.metric('odograph_ingest_records_total')).toBeGreaterThan(100); });
    await server.kill();
    server = await server.again();
    await Promise.all(acknowledged);
    const redis = lookInto(server.url);
    for (const { imei } of trackers) {
      expect(new Set((await recordsOf(redis, imei)).map(({ ts }) => ts)).size).toBe(perTracker);
    }
  });
});

describe('Redis full', () => {
  it('withholds acknowledgements, counted as oom, until there is room again', async () => {
    server = await startPrivateRedis({ maxmemory: '64mb' });
    const ingest = await startIngest(server.url);
    const redis = lookInto(server.url);
    const tracker = await loggedIn(ingest.port(), newImei());
    await redis.config('SET', 'maxmemory', '1');
    tracker.send(dataFrame(3));
    await eventually(async () => { expect(await ingest.metric(FAILURES, { reason: 'oom' })).toBeGreaterThan(2); });
    expect(tracker.received).toHaveLength(1);
    expect(appending(ingest)).toHaveLength(1);
    await redis.config('SET', 'maxmemory', '64mb');
    expect(await tracker.acknowledgement()).toBe(3);
    expect(appending(ingest)).toHaveLength(2);
    expect(await ingest.metric(FAILURES)).toBe(await ingest.metric(FAILURES, { reason: 'oom' }));
  });
});
