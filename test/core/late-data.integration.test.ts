/** Late data is history, never news: whatever the order in which records come, rows and state end the same. */
import type { Pool } from 'pg';
import { describe, expect, test } from 'vitest';
import type { TelemetryFrame, TelemetryRecord } from '../../src/shared/model.ts';
import type { Site } from './support.ts';
import { STORAGES, allStored, append, countPositions, frame, metric, openSite, record, startCore } from './support.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const NOWHERE = {
  latitude: null, longitude: null, altitude: null, course: null, speed: null, satellites: 0, valid: false,
};

/** A drive of 40 records; the newest ten have no fix, and some instants have an event beside the periodic record. */
const DRIVE: readonly TelemetryRecord[] = Array.from({ length: 40 }, (_, n) => {
  const attributes = new Map([['odometer', n]]);
  const eventId = (n % 3 === 0 ? 239 : 0) + (n % 2);
  return record(NOW + Math.floor(n / 2) * 1_000, { speed: n, eventId, attributes, ...(n >= 30 && NOWHERE) });
});

const NEWEST = DRIVE.at(-1)!;
const LAST_PLACE = DRIVE[29]!;

function inFrames(deviceId: string, drive: readonly TelemetryRecord[], size: number): TelemetryFrame[] {
  const frames: TelemetryFrame[] = [];
  for (let at = 0; at < drive.length; at += size) {
    frames.push(frame(deviceId, drive.slice(at, at + size), NOW + 90_000));
  }
  return frames;
}

/** Reproducible, and in no order that any code would make by itself. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const rank = (index: number): number => (Math.imul(index + 1, 2_654_435_761) ^ Math.imul(seed, 40_503)) >>> 0;
  return items.map((item, index) => ({ item, key: rank(index) })).sort((a, b) => a.key - b.key).map(({ item }) => item);
}

async function rowsByDevice(pool: Pool, table: 'positions' | 'device_state'): Promise<Map<string, unknown[]>> {
  const { rows } = await pool.query<{ unique_id: string; row: Record<string, unknown> }>(
    `select unique_id, to_jsonb(t) - 'device_id' as row from ${table} t join devices d on d.id = t.device_id
     order by unique_id, t.ts, t.event_id`);
  const byDevice = Map.groupBy(rows, ({ unique_id: uniqueId }) => uniqueId);
  return new Map([...byDevice].map(([uniqueId, own]) => [uniqueId, own.map(({ row }) => row)]));
}

async function expectDrives(site: Site, devices: readonly string[]): Promise<void> {
  const history = await rowsByDevice(site.pool, 'positions');
  const states = await rowsByDevice(site.pool, 'device_state');
  expect([...history.keys()]).toEqual([...devices]);
  for (const device of devices) {
    expect(history.get(device), device).toHaveLength(DRIVE.length);
    expect(history.get(device), device).toEqual(history.get(devices[0]!));
    expect(states.get(device), device).toEqual(states.get(devices[0]!));
  }
  const { rows } = await site.pool.query('select * from device_state');
  for (const state of rows) {
    expect(state).toMatchObject({
      ts: NEWEST.ts, event_id: NEWEST.eventId, valid: false, attributes: { odometer: 39 }, records: DRIVE.length,
      first_ts: NOW, fix_ts: LAST_PLACE.ts, fix_event_id: LAST_PLACE.eventId, latitude: 52.5, speed: LAST_PLACE.speed,
      satellites: 9, last_received_at: NOW + 90_000,
    });
  }
}

const ORDERS: Readonly<Record<string, readonly TelemetryRecord[]>> = {
  a: DRIVE,
  b: DRIVE.toReversed(),
  c: shuffled(DRIVE, 1),
  d: shuffled(DRIVE, 2),
};

describe.each(STORAGES)('into %s', (storage) => {
  test.each([
    ['each record in a transaction of its own', { PROCESSOR_BATCH_RECORDS: '1', PROCESSOR_WRITERS: '1' }],
    ['in batches of a few', { PROCESSOR_BATCH_RECORDS: '7', PROCESSOR_WRITERS: '1' }],
    ['by four writers at once', { PROCESSOR_BATCH_RECORDS: '5', PROCESSOR_WRITERS: '4' }],
    ['in one batch', { PROCESSOR_BATCH_RECORDS: '1000' }],
  ])('oldest first, newest first and in no order end the same: %s', async (_how, settings) => {
    const site = await openSite();
    const frames = Object.entries(ORDERS).flatMap(([device, drive]) => inFrames(device, drive, 1));
    await append(site.redis, ...frames);
    await startCore(site, { POSITIONS_STORAGE: storage, ...settings });
    await allStored(site, 4 * DRIVE.length);
    await expectDrives(site, Object.keys(ORDERS));
  });

  test('two processors that share the same devices, and get some frames twice, end the same', async () => {
    const site = await openSite();
    const settings = { POSITIONS_STORAGE: storage, PROCESSOR_BATCH_RECORDS: '6', PROCESSOR_READ_COUNT: '3', POSTGRES_POOL_SIZE: '7' };
    await Promise.all([startCore(site, settings), startCore(site, { ...settings, INSTANCE_ID: 'two' })]);
    const frames = Object.entries(ORDERS).flatMap(([device, drive]) => inFrames(device, drive, 2));
    await append(site.redis, ...shuffled([...frames, ...frames.slice(0, 40)], 3));
    await allStored(site, 4 * DRIVE.length);
    await expectDrives(site, Object.keys(ORDERS));
  });
});

test('with room for two of ten devices the result is the same, and evictions are counted', async () => {
  const site = await openSite();
  const devices = Array.from({ length: 10 }, (_, n) => `device ${n}`);
  const running = await startCore(site, { DEVICE_STATE_CAPACITY: '2', PROCESSOR_BATCH_RECORDS: '3' });
  const frames = devices.flatMap((device, n) => inFrames(device, shuffled(DRIVE, n), 4));
  await append(site.redis, ...shuffled(frames, 5));
  await allStored(site, 10 * DRIVE.length);
  await expectDrives(site, devices);
  expect(await metric(running.registry, 'processor_device_state_size')).toBe(2);
  expect(await metric(running.registry, 'processor_device_state_evictions_total')).toBeGreaterThanOrEqual(8);
  expect(await metric(running.registry, 'odograph_core_devices_registered_total')).toBe(10);
});

test('late records are counted, those that are there already are not', async () => {
  const site = await openSite();
  const running = await startCore(site);
  const late = (): Promise<number> => metric(running.registry, 'odograph_core_late_records_total');
  await append(site.redis, frame('a', [record(NOW), record(NOW + 2_000), record(NOW + 1_000)]));
  await allStored(site, 3);
  expect(await late()).toBe(1);
  await append(site.redis, frame('a', [record(NOW), record(NOW + 500), record(NOW + 1_000), record(NOW + 3_000)]));
  await allStored(site, 5);
  expect(await late()).toBe(2);
});

test('a restarted processor knows what is late', async () => {
  const site = await openSite();
  const first = await startCore(site);
  await append(site.redis, frame('a', [record(NOW)]));
  await allStored(site, 1);
  await first.stop();
  const second = await startCore(site);
  await append(site.redis, frame('a', [record(NOW - 1), record(NOW + 1)]));
  await allStored(site, 3);
  expect(await metric(second.registry, 'odograph_core_late_records_total')).toBe(1);
  expect(await countPositions(site.pool)).toBe(3);
});
