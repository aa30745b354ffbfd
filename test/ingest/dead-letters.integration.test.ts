/** What is a frame of the protocol and still cannot be kept as a record: a dead letter, and acknowledged in full. */
import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import { encodeAvlFrame } from '../../src/protocols/teltonika/encode.ts';
import { buildFrame } from '../../src/protocols/gt06/frame.ts';
import { encodeLogin as encodeGt06Login } from '../../src/protocols/gt06/encode.ts';
import { decodeRecord, readRecords } from '../../src/shared/contracts/stored-record.ts';
import { createRedis } from '../support/redis.ts';
import { avlRecord, frameOf } from '../protocols/teltonika/frames.ts';
import type { TestIngest } from './support.ts';
import { deadLettersIn, entriesIn, lookInto, recordsOf, startIngest } from './support.ts';
import { connectTracker, dataFrame, loggedIn, newImei, recordsFrom } from './tracker.ts';

const TS = 1_690_000_000_000;
const IN_2099 = Date.UTC(2099, 0, 1);

let redisUrl: string;
let redis: Redis;
let ingest: TestIngest;
let imei: string;

beforeEach(async () => {
  redisUrl = (await createRedis()).url;
  redis = lookInto(redisUrl);
  ingest = await startIngest(redisUrl, { INGEST_LISTENERS: 'teltonika:0,gt06:0' });
  imei = newImei();
});

async function counted(reason: string, rejections = 1, letters = 1): Promise<void> {
  expect(await ingest.metric('odograph_ingest_rejections_total')).toBe(rejections);
  expect(await ingest.metric('odograph_ingest_rejections_total', { reason })).toBe(rejections);
  expect(await ingest.metric('odograph_ingest_dead_letters_total', { reason })).toBe(letters);
  expect(ingest.warnings(reason)).toHaveLength(1);
}

/** The data of a frame of one record, with bytes put in before number of data 2. */
function dataWith(extra: Buffer): Buffer {
  const data = encodeAvlFrame([avlRecord()], '8').subarray(8, -4);
  return Buffer.concat([data.subarray(0, -1), extra, data.subarray(-1)]);
}

describe('a frame that cannot be read', () => {
  const cases: readonly (readonly [what: string, reason: string, field: string, frame: Buffer, count: number])[] = [
    ['of an unknown codec', 'unknown_codec', 'codecId', frameOf(Buffer.from('99030203', 'hex')), 3],
    ['that ends within a record', 'truncated', 'records[0]', frameOf(Buffer.from('0802000001896d4ab90002', 'hex')), 2],
    ['with bytes behind the last record', 'trailing_bytes', 'records[1]', frameOf(dataWith(Buffer.alloc(3))), 1],
  ];

  it.each(cases)('%s is kept with its bytes and acknowledged', async (_what, reason, field, frame, count) => {
    const tracker = await loggedIn(ingest.port(), imei);
    const before = Date.now();
    tracker.send(frame);
    expect(await tracker.acknowledgement()).toBe(count);
    const [letter, ...others] = await deadLettersIn(redis);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ reason, field, deviceId: imei, protocol: 'teltonika', raw: frame, payload: null, origin: null });
    expect(letter!.message).not.toBe('');
    expect(letter!.at).toBeGreaterThanOrEqual(before);
    expect(letter!.at).toBeLessThanOrEqual(Date.now());
    await counted(reason);
  });

  it('of an unknown protocol number is kept with its bytes and answered (gt06)', async () => {
    const tracker = await connectTracker(ingest.port('tcp', 'gt06'));
    tracker.send(encodeGt06Login({ imei, modelCode: 1, zoneMinutes: -90 }, 1));
    await tracker.read(10);
    const frame = buildFrame(0x77, Buffer.from('0102', 'hex'), 2);
    tracker.send(frame);
    expect((await tracker.read(10)).subarray(3, 6)).toEqual(Buffer.from('770002', 'hex'));
    const letters = await deadLettersIn(redis);
    expect(letters).toMatchObject([
      { reason: 'unknown_codec', field: 'protocolNumber', deviceId: imei, protocol: 'gt06', raw: frame },
    ]);
    expect(JSON.parse(letters[0]!.session!)).toEqual({ deviceId: imei, zoneOffsetMs: -90 * 60_000 });
  });
});

describe('a record that cannot be kept', () => {
  it('with coordinates out of range is a dead letter with the bytes of its frame; its neighbours are kept', async () => {
    const records = recordsFrom(TS, 5);
    records[2] = { ...records[2]!, latitude: 123.5 };
    const frame = encodeAvlFrame(records, '8E');
    const tracker = await loggedIn(ingest.port(), imei);
    tracker.send(frame);
    expect(await tracker.acknowledgement()).toBe(5);
    expect((await recordsOf(redis, imei)).map(({ ts }) => ts)).toEqual([TS, TS + 1000, TS + 3000, TS + 4000]);
    expect(await deadLettersIn(redis)).toMatchObject([
      { reason: 'bad_field', field: 'records[2].latitude', deviceId: imei, raw: frame, payload: null },
    ]);
    await counted('bad_field');
  });

  it('shares one dead letter with the others of its frame, which names every field', async () => {
    const bad = [{ latitude: 91 }, { longitude: 181 }, { latitude: -100 }];
    const frame = encodeAvlFrame([avlRecord(), ...bad.map((changes) => avlRecord([], changes))], '8');
    const tracker = await loggedIn(ingest.port(), imei);
    tracker.send(frame);
    expect(await tracker.acknowledgement()).toBe(4);
    const letters = await deadLettersIn(redis);
    expect(letters).toMatchObject([{ raw: frame, field: 'records[1].latitude, records[2].longitude, records[3].latitude' }]);
    expect(letters[0]!.message.split('; ')).toHaveLength(3);
    await counted('bad_field', 3, 1);
  });

  it('of a clock in the year 2099 is a dead letter with the record as payload; its neighbours are kept', async () => {
    const records = [...recordsFrom(TS, 2), avlRecord([[239, 1, 1]], { ts: IN_2099, speed: 7 })];
    const tracker = await loggedIn(ingest.port(), imei);
    tracker.send(encodeAvlFrame(records, '8'));
    expect(await tracker.acknowledgement()).toBe(3);
    expect((await recordsOf(redis, imei)).map(({ ts }) => ts)).toEqual([TS, TS + 1000]);
    const [letter, ...others] = await deadLettersIn(redis);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ reason: 'clock_ahead', field: 'records[2].ts', deviceId: imei, raw: null });
    const [result] = readRecords(Buffer.from(`[${letter!.payload}]`));
    const record = decodeRecord((result as Extract<typeof result, { ok: true }>).record);
    expect(record).toMatchObject({ ts: IN_2099, speed: 7 });
    expect(record.attributes.get('ignition')).toBe(true);
    await counted('clock_ahead');
  });

  it('of a clock that was never set is a dead letter with the record as payload; its neighbours are kept', async () => {
    const strict = await startIngest(redisUrl, { MAX_PAST_MS: String(366 * 86_400_000) });
    const now = Date.now();
    const times = [0, Date.UTC(1980, 0, 6), Date.UTC(1990, 0, 1), Date.UTC(2001, 0, 1)];
    const unset = times.map((ts) => avlRecord([[239, 1, 1]], { ts }));
    const tracker = await loggedIn(strict.port(), imei);
    tracker.send(encodeAvlFrame([...unset, ...recordsFrom(now, 2)], '8'));
    expect(await tracker.acknowledgement()).toBe(6);
    expect((await recordsOf(redis, imei)).map(({ ts }) => ts)).toEqual([now, now + 1000]);
    const letters = await deadLettersIn(redis);
    expect(letters.map(({ reason, field }) => `${reason} ${field}`)).toEqual(unset.map((_, n) => `clock_behind records[${n}].ts`));
    expect(letters[2]?.payload).toContain(String(Date.UTC(1990, 0, 1)));
    expect(await strict.metric('odograph_ingest_dead_letters_total', { reason: 'clock_behind' })).toBe(4);
  });

  it('is not one while its clock is no more than MAX_FUTURE_MS ahead', async () => {
    const tracker = await loggedIn(ingest.port(), imei);
    tracker.send(encodeAvlFrame([avlRecord([], { ts: Date.now() + 23 * 3_600_000 })], '8'));
    expect(await tracker.acknowledgement()).toBe(1);
    expect(await recordsOf(redis, imei)).toHaveLength(1);
    expect(await deadLettersIn(redis)).toEqual([]);
  });

  it('leaves no telemetry entry when there is no other in its frame', async () => {
    const tracker = await loggedIn(ingest.port(), imei);
    tracker.send(encodeAvlFrame([avlRecord([], { ts: IN_2099 })], '8'));
    expect(await tracker.acknowledgement()).toBe(1);
    expect(await entriesIn(redis)).toEqual([]);
    expect(await deadLettersIn(redis)).toHaveLength(1);
  });
});

describe('a frame whose counts differ', () => {
  function mismatched(): Buffer {
    const data = Buffer.from(encodeAvlFrame(recordsFrom(TS, 3), '8').subarray(8, -4));
    data[data.length - 1] = 2;
    return frameOf(data);
  }

  it('is refused twice, then kept as a dead letter and acknowledged, over reconnects', async () => {
    const frame = mismatched();
    for (const time of [1, 2, 3]) {
      const tracker = await loggedIn(ingest.port(), imei);
      tracker.send(frame, dataFrame(1));
      if (time === 3) expect(await tracker.acknowledgement()).toBe(3);
      expect(await tracker.acknowledgement()).toBe(1);
      tracker.socket.destroy();
    }
    expect(await ingest.metric('odograph_ingest_frames_total', { result: 'refused' })).toBe(2);
    expect(await ingest.metric('odograph_ingest_rejections_total', { reason: 'count_mismatch' })).toBe(3);
    expect(await deadLettersIn(redis)).toMatchObject([
      { reason: 'count_mismatch', field: 'numberOfData2', deviceId: imei, raw: frame },
    ]);
  });

  it('is counted for each device by itself', async () => {
    const frame = mismatched();
    for (let device = 0; device < 4; device += 1) {
      const tracker = await loggedIn(ingest.port(), newImei());
      tracker.send(frame, dataFrame(1));
      expect(await tracker.acknowledgement()).toBe(1);
    }
    expect(await deadLettersIn(redis)).toEqual([]);
  });

  it('is kept at once with INGEST_POISON_ATTEMPTS=1', async () => {
    const { url } = await createRedis();
    const strict = await startIngest(url, { INGEST_POISON_ATTEMPTS: '1' });
    const tracker = await loggedIn(strict.port(), imei);
    tracker.send(mismatched());
    expect(await tracker.acknowledgement()).toBe(3);
    expect(await deadLettersIn(lookInto(url))).toHaveLength(1);
  });
});
