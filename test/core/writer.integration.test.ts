/** What is written for the entries of the stream: every value as it was sent, and twice is once. */
import type { Pool } from 'pg';
import { describe, expect, test } from 'vitest';
import { parseAttributes } from '../../src/shared/attributes.ts';
import type { AttributeValue, TelemetryRecord } from '../../src/shared/model.ts';
import {
  STORAGES, allStored, append, countPositions, deadLetters, frame, metric, openSite, record, records, startCore, value,
} from './support.ts';

const NOW = Date.UTC(2026, 10, 20, 12);

const EVERY_VALUE: readonly (readonly [string, AttributeValue])[] = [
  ['ignition', true], ['motion', false], ['power', 12.345], ['zero', 0], ['negative', -273.15],
  ['greatest', Number.MAX_VALUE], ['least', Number.MIN_VALUE], ['integer', Number.MAX_SAFE_INTEGER],
  ['io78', 18_446_744_073_709_551_615n], ['io79', -9_223_372_036_854_775_808n],
  ['beacon', Buffer.from([0, 1, 2, 253, 254, 255])], ['nothing', Buffer.alloc(0)], ['empty', ''],
  ['text', 'Grüße, 東京 🚚 "quoted" \\ \u0001\n'], ['__proto__', 'a name like any other'], ['constructor', 1],
  ['', 'no name'], ['naïve näme', 2],
];

const FULL: TelemetryRecord = record(NOW + 123, {
  latitude: -33.8567844, longitude: 151.2152967, altitude: -12.5, course: 359.5, speed: 88.25, satellites: 17,
  hdop: 0.5, valid: true, priority: 2, eventId: 2_147_483_647, attributes: new Map(EVERY_VALUE),
});

const BARE: TelemetryRecord = record(NOW + 124, {
  latitude: null, longitude: null, altitude: null, course: null, speed: null, satellites: null, hdop: null,
  valid: false, priority: 0, eventId: 0,
});

async function rowsOf(pool: Pool): Promise<Record<string, unknown>[]> {
  const columns = `p.xmin::text, d.unique_id, p.device_id, p.ts, p.event_id, p.received_at, p.latitude, p.longitude,
    p.altitude, p.course, p.speed, p.hdop, p.satellites, p.valid, p.priority, p.attributes::text`;
  const { rows } = await pool.query<Record<string, unknown>>(
    `select ${columns} from positions p join devices d on d.id = p.device_id order by p.device_id, p.ts, p.event_id`);
  return rows;
}

function expected(deviceId: string, receivedAt: number, sent: TelemetryRecord): Record<string, unknown> {
  const { attributes: _attributes, eventId, ...columns } = sent;
  return { ...columns, unique_id: deviceId, received_at: receivedAt, event_id: eventId };
}

describe.each(STORAGES)('into %s', (storage) => {
  const settings = { POSITIONS_STORAGE: storage };

  test('every column and every attribute comes back as it was sent', async () => {
    const site = await openSite();
    const running = await startCore(site, settings);
    await append(site.redis, frame('356307042441013', [FULL, BARE], NOW + 5_000));
    await allStored(site, 2);
    const [full, bare] = await rowsOf(site.pool);
    expect(full).toMatchObject(expected('356307042441013', NOW + 5_000, FULL));
    expect(bare).toMatchObject(expected('356307042441013', NOW + 5_000, BARE));
    const stored = parseAttributes(full!.attributes as string);
    expect(new Map([...stored].sort())).toEqual(new Map([...EVERY_VALUE].sort()));
    expect(bare?.attributes).toBe('{}');
    expect(await value(site.pool, 'select protocol from devices')).toBe('teltonika');
    expect(await metric(running.registry, 'odograph_core_devices_registered_total')).toBe(1);
  });

  test('the same entries again change no row and are counted as duplicates', async () => {
    const site = await openSite();
    const running = await startCore(site, settings);
    const frames = [frame('a', records(20, NOW)), frame('b', [FULL, BARE])];
    await append(site.redis, ...frames);
    await allStored(site, 22);
    const everything = async (): Promise<unknown[]> =>
      [await rowsOf(site.pool), await value(site.pool, 'select json_agg(s) from (select xmin, * from device_state) s')];
    const before = await everything();
    await append(site.redis, ...frames);
    await allStored(site, 22);
    expect(await everything()).toEqual(before);
    expect(await metric(running.registry, 'processor_position_writes_total', { status: 'duplicate' })).toBe(22);
    expect(await metric(running.registry, 'processor_position_writes_total', { status: 'inserted' })).toBe(22);
  });

  test('of records with one key in one batch the first is kept', async () => {
    const site = await openSite();
    const running = await startCore(site, settings);
    const twice = [record(NOW, { speed: 10 }), record(NOW, { speed: 20 }), record(NOW + 1, { speed: 30 })];
    await append(site.redis, frame('a', twice));
    await allStored(site, 2);
    expect((await rowsOf(site.pool)).map(({ speed }) => speed)).toEqual([10, 30]);
    expect(await metric(running.registry, 'processor_position_writes_total', { status: 'duplicate' })).toBe(1);
  });

  test('a record of a known key with other content leaves row and state as they were', async () => {
    const site = await openSite();
    await startCore(site, settings);
    await append(site.redis, frame('a', [record(NOW, { speed: 10 })]));
    await allStored(site, 1);
    await append(site.redis, frame('a', [record(NOW, { speed: 20 }), record(NOW - 1, { speed: 30 })]));
    await allStored(site, 2);
    expect((await rowsOf(site.pool)).map(({ speed }) => speed)).toEqual([30, 10]);
    expect(await value(site.pool, 'select speed from device_state')).toBe(10);
  });

  test('what is new in a batch that is partly known is stored, and only that', async () => {
    const site = await openSite();
    const running = await startCore(site, settings);
    await append(site.redis, frame('a', records(10, NOW)));
    await allStored(site, 10);
    await append(site.redis, frame('a', records(20, NOW)), frame('b', records(5, NOW)));
    await allStored(site, 25);
    expect(await metric(running.registry, 'processor_position_writes_total', { status: 'duplicate' })).toBe(10);
    const states = await site.pool.query('select records from device_state order by device_id');
    expect(states.rows).toEqual([{ records: 20 }, { records: 5 }]);
  });

  test('batch after batch of what is partly known is stored once, the first of each key', async () => {
    const site = await openSite();
    const running = await startCore(site, settings);
    for (let round = 0; round < 4; round += 1) {
      const known = records(10 * (round + 1), NOW).map((one) => ({ ...one, priority: round }));
      await append(site.redis, frame('a', [...known, known.at(-1)!]), frame('b', known.slice(-3)));
      await allStored(site, 10 * (round + 1) + 3 * (round + 1));
    }
    const firstOf = (row: Record<string, unknown>): number => Math.floor((Number(row.ts) - NOW) / 10_000);
    for (const row of await rowsOf(site.pool)) expect(row.priority).toBe(firstOf(row));
    const duplicates = 4 + 10 + 20 + 30;
    expect(await metric(running.registry, 'processor_position_writes_total', { status: 'duplicate' })).toBe(duplicates);
    expect(await deadLetters(site.redis)).toEqual([]);
  });

  test('an event and the periodic record of one instant are both kept', async () => {
    const site = await openSite();
    await startCore(site, settings);
    await append(site.redis, frame('a', [record(NOW, { eventId: 239 }), record(NOW)]));
    await allStored(site, 2);
    expect((await rowsOf(site.pool)).map(({ event_id: eventId }) => eventId)).toEqual([0, 239]);
    expect(await value(site.pool, 'select event_id from device_state')).toBe(239);
  });

  test('records of 1970, 2099 and times far from both are stored once', async () => {
    const site = await openSite();
    await startCore(site, settings);
    const last = (year: number): number => Date.UTC(year, 11, 31, 23, 59, 59, 999);
    const times = [last(-700), 1, NOW, last(2099), last(9999)];
    const partitions = 'select count(*) from pg_inherits where inhparent = \'positions\'::regclass';
    const before = await value(site.pool, partitions);
    await append(site.redis, frame('a', times.map((ts) => record(ts))));
    await append(site.redis, frame('a', times.map((ts) => record(ts))));
    await allStored(site, times.length);
    // Without xmin, as a chunk of the past may be compressed already.
    const { rows } = await site.pool.query<{ ts: number }>('select ts from positions order by ts');
    expect(rows.map(({ ts }) => ts)).toEqual(times);
    expect(await value(site.pool, 'select ts from device_state')).toBe(times.at(-1));
    expect(await value(site.pool, 'select first_ts from device_state')).toBe(times[0]);
    expect(await value(site.pool, 'select records from device_state')).toBe(times.length);
    if (storage === 'partitions') expect(await value(site.pool, partitions)).toBe(before);
    expect(await deadLetters(site.redis)).toEqual([]);
  });
});

test('a batch is as large as PROCESSOR_BATCH_RECORDS allows, and one entry above it is written whole', async () => {
  const site = await openSite();
  await append(site.redis, ...Array.from({ length: 10 }, (_, n) => frame('a', records(4, NOW + n * 60_000))));
  await append(site.redis, frame('a', records(30, NOW + 3_600_000)));
  const running = await startCore(site, { PROCESSOR_BATCH_RECORDS: '10', PROCESSOR_WRITERS: '1' });
  await allStored(site, 70);
  const sizes = await site.pool.query('select count(*) as size from positions group by xmin order by max(ts)');
  expect(sizes.rows.map((row: { size: number }) => row.size)).toEqual([8, 8, 8, 8, 8, 30]);
  expect(await countPositions(site.pool)).toBe(await metric(running.registry, 'processor_consumer_records_total'));
});
