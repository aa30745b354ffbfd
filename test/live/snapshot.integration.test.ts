/** The snapshot and what follows it: no gap, no repetition, nothing late. */
import { describe, expect, test } from 'vitest';
import type { AttributeValue } from '../../src/shared/model.ts';
import { append, frame, record, records, startCore } from '../core/support.ts';
import { eventually } from '../support/eventually.ts';
import { addDevices, addGroup, setState } from './fixtures.ts';
import { openPreparedSite, signedIn, startLive } from './support.ts';

const DEVICE = '356307042441013';
const OTHER = '356307042441014';
const START = 1_700_000_000_000;

describe('a snapshot', () => {
  test('is the newest known state from the database, at the last known place', async () => {
    const site = await openPreparedSite();
    await addDevices(site.pool, DEVICE);
    await setState(site.pool, DEVICE, { ts: START, fixTs: START - 60_000, attributes: '{"odometer":{"__bigint":"18446744073709551615"},"power":12.50}' });
    const viewer = await signedIn((await startLive(site)).url);
    const { snapshot, resumed } = await viewer.subscribe(`device:${DEVICE}`);
    expect(resumed).toBe(false);
    expect(snapshot).toEqual([{
      deviceId: DEVICE, ts: START, receivedAt: START, latitude: 50, longitude: 10, altitude: null, course: null,
      speed: 7.5, satellites: null, hdop: null, valid: true, priority: 0, eventId: 0, fixTs: START - 60_000,
      attributes: { odometer: { __bigint: '18446744073709551615' }, power: 12.5 },
    }]);
  });

  test('of a device that has sent nothing yet is empty, and of one that does not exist is refused', async () => {
    const site = await openPreparedSite();
    await addDevices(site.pool, DEVICE);
    const viewer = await signedIn((await startLive(site)).url);
    expect(await viewer.subscribe(`device:${DEVICE}`)).toMatchObject({ type: 'subscribed', snapshot: [] });
    expect(await viewer.subscribe('device:unheard-of')).toMatchObject({ type: 'error', code: 'forbidden', topic: 'device:unheard-of' });
  });

  test('has what came with the stream before anybody followed, and is newer than the database', async () => {
    const site = await openPreparedSite();
    await addDevices(site.pool, DEVICE);
    await setState(site.pool, DEVICE, { ts: START });
    const live = await startLive(site);
    await append(site.redis, frame(DEVICE, [record(START + 1_000, { latitude: 51 })]));
    await eventually(async () => { expect(await live.metric('processor_live_broadcast_records_total')).toBe(1); });
    const viewer = await signedIn(live.url);
    expect((await viewer.subscribe(`device:${DEVICE}`)).snapshot).toMatchObject([{ ts: START + 1_000, latitude: 51 }]);
  });

  test('has what the stream held before the start, though the processor has not stored it', async () => {
    const site = await openPreparedSite();
    await append(site.redis, frame(DEVICE, records(3, START)), frame(OTHER, records(1, START)));
    const viewer = await signedIn((await startLive(site)).url);
    expect((await viewer.subscribe(`device:${DEVICE}`)).snapshot).toMatchObject([{ ts: START + 2_000 }]);
  });

  test('of 5,000 devices takes one query', async () => {
    const site = await openPreparedSite();
    const devices = Array.from({ length: 5_000 }, (_, n) => String(356_307_000_000_000 + n));
    await addDevices(site.pool, ...devices);
    await site.pool.query(
      `insert into device_state (device_id, ts, event_id, received_at, valid, priority, attributes)
       select id, now(), 0, now(), true, 0, '{}' from devices`);
    const groupId = await addGroup(site.pool, 'all', ...devices);
    const live = await startLive(site);
    const viewer = await signedIn(live.url);
    expect((await viewer.subscribe(`group:${groupId}`)).snapshot).toHaveLength(5_000);
    viewer.send({ type: 'subscribe', topics: devices.map((id) => `device:${id}`) });
    await eventually(() => { expect(viewer.received.filter(({ type }) => type === 'subscribed')).toHaveLength(5_001); });
    expect(await live.metric('processor_live_state_queries_total')).toBe(1);
  });

  test('comes again, fresh, when a topic is subscribed to again, and positions do not come twice', async () => {
    const site = await openPreparedSite();
    await addDevices(site.pool, DEVICE);
    const viewer = await signedIn((await startLive(site)).url);
    await viewer.subscribe(`device:${DEVICE}`);
    await append(site.redis, frame(DEVICE, [record(START)]));
    await viewer.next('position');
    expect((await viewer.subscribe(`device:${DEVICE}`)).snapshot).toMatchObject([{ ts: START }]);
    await append(site.redis, frame(DEVICE, [record(START + 1_000)]));
    await viewer.next('position');
    await viewer.roundTrip();
    expect(viewer.positions().map(({ ts }) => ts)).toEqual([START, START + 1_000]);
  });
});

describe('what follows a snapshot', () => {
  test('is every newer position in order, with its attributes untouched', async () => {
    const site = await openPreparedSite();
    await addDevices(site.pool, DEVICE);
    const viewer = await signedIn((await startLive(site)).url);
    await viewer.subscribe(`device:${DEVICE}`);
    const attributes = new Map<string, AttributeValue>([['serial', 18_446_744_073_709_551_615n], ['raw', Buffer.from([1, 2, 3])], ['power', 12.5]]);
    const now = Date.now();
    const last = record(START + 3_000, { eventId: 7, attributes });
    await append(site.redis, frame(DEVICE, [...records(3, START), last], now));
    await eventually(() => { expect(viewer.positions()).toHaveLength(4); });
    expect(viewer.positions().map(({ ts }) => ts)).toEqual([0, 1, 2, 3].map((n) => START + n * 1_000));
    expect(viewer.positions()[3]).toEqual({
      deviceId: DEVICE, ts: START + 3_000, receivedAt: now, latitude: 52.5, longitude: 13.4, altitude: 34, course: 90,
      speed: 50, satellites: 9, hdop: 0.9, valid: true, priority: 0, eventId: 7,
      attributes: { serial: { __bigint: '18446744073709551615' }, raw: { __buffer_b64: 'AQID' }, power: 12.5 },
    });
  });

  test('is nothing that is older than what is known, compared by time and event', async () => {
    const site = await openPreparedSite();
    await addDevices(site.pool, DEVICE);
    await setState(site.pool, DEVICE, { ts: START, eventId: 5 });
    const live = await startLive(site);
    const viewer = await signedIn(live.url);
    await viewer.subscribe(`device:${DEVICE}`);
    await append(
      site.redis,
      frame(DEVICE, [record(START - 1), record(START, { eventId: 4 }), record(START, { eventId: 5 })]),
      frame(DEVICE, [record(START, { eventId: 6 })]),
    );
    await viewer.next('position');
    await viewer.roundTrip();
    expect(viewer.positions()).toMatchObject([{ ts: START, eventId: 6 }]);
    expect(await live.metric('processor_live_broadcast_drops_total', { reason: 'not_newer' })).toBe(3);
  });

  test('is nothing that is older than the database, for a device that nobody has heard of before', async () => {
    const site = await openPreparedSite();
    const live = await startLive(site);
    const viewer = await signedIn(live.url);
    await viewer.subscribe('*');
    // Registered and reporting after the subscription, through another instance.
    await addDevices(site.pool, DEVICE);
    await setState(site.pool, DEVICE, { ts: START });
    await append(site.redis, frame(DEVICE, [record(START - 1_000), record(START + 1_000)]));
    await eventually(() => { expect(viewer.positions().at(-1)).toMatchObject({ ts: START + 1_000 }); });
    expect(viewer.positions().map(({ ts }) => ts)).toEqual([START + 1_000]);
  });

  test('is nothing that somebody else only asks the database for', async () => {
    const site = await openPreparedSite();
    await addDevices(site.pool, DEVICE, OTHER);
    await append(site.redis, frame(DEVICE, [record(START)]));
    const first = await startLive(site);
    const resumed = await signedIn(first.url);
    const { id } = await resumed.subscribe('*');
    // A process that knows of the others only what the database says.
    const live = await startLive(site);
    const viewer = await signedIn(live.url);
    await setState(site.pool, OTHER, { ts: START });
    expect(await viewer.subscribe('*', { resume: id })).toMatchObject({ resumed: true, snapshot: [] });
    const fresh = await signedIn(live.url);
    expect((await fresh.subscribe('*')).snapshot).toHaveLength(2);
    await append(site.redis, frame(OTHER, [record(START + 1_000)]));
    await viewer.next('position');
    expect(viewer.positions()).toMatchObject([{ deviceId: OTHER, ts: START + 1_000 }]);
  });

  test('a record without a fix has no place, and the next snapshot has the last known one', async () => {
    const site = await openPreparedSite();
    await addDevices(site.pool, DEVICE);
    const viewer = await signedIn((await startLive(site)).url);
    await viewer.subscribe(`device:${DEVICE}`);
    await append(site.redis, frame(DEVICE, [record(START, { latitude: 50, longitude: 8 })]));
    await append(site.redis, frame(DEVICE, [record(START + 1_000, { latitude: null, longitude: null, valid: false })]));
    const withoutFix = { ts: START + 1_000, latitude: null, valid: false };
    await eventually(() => { expect(viewer.positions().at(-1)).toMatchObject(withoutFix); });
    expect((await viewer.subscribe(`device:${DEVICE}`)).snapshot)
      .toMatchObject([{ ts: START + 1_000, fixTs: START, latitude: 50, longitude: 8, valid: false }]);
  });

  test('subscribing in the middle of a stream: snapshot and positions together are every newer record, once', async () => {
    const site = await openPreparedSite();
    await addDevices(site.pool, DEVICE);
    await startCore(site);
    const live = await startLive(site);
    const COUNT = 600;
    let appended = 0;
    const appending = (async () => {
      for (; appended < COUNT; appended += 1) await append(site.redis, frame(DEVICE, [record(START + appended)]));
    })();
    const viewers = [];
    for (const share of [0.1, 0.25, 0.4, 0.55, 0.7, 0.85]) {
      await eventually(() => appended >= COUNT * share);
      const viewer = await signedIn(live.url);
      viewers.push({ viewer, snapshot: (await viewer.subscribe(`device:${DEVICE}`)).snapshot! });
    }
    await appending;
    for (const { viewer, snapshot } of viewers) {
      await eventually(() => { expect((viewer.positions().at(-1) ?? snapshot[0])?.ts).toBe(START + COUNT - 1); });
      const from = snapshot[0]!.ts + 1;
      const expected = Array.from({ length: START + COUNT - from }, (_, n) => from + n);
      expect(viewer.positions().map(({ ts }) => ts)).toEqual(expected);
    }
  });
});
