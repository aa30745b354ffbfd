/** Replies leave in the order of their frames, however the bytes come. */
import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Gt06Fix } from '../../src/protocols/gt06/encode.ts';
import { encodeHeartbeat, encodeLocation, encodeLogin as encodeGt06Login } from '../../src/protocols/gt06/encode.ts';
import { encodeAvlFrame, encodeCommandResponse, encodeLogin, PING } from '../../src/protocols/teltonika/encode.ts';
import { avlRecord, frameOf } from '../protocols/teltonika/frames.ts';
import { createRedis } from '../support/redis.ts';
import { eventually } from '../support/eventually.ts';
import type { TestIngest } from './support.ts';
import { entriesIn, lookInto, recordsOf, startIngest } from './support.ts';
import type { Tracker } from './tracker.ts';
import { connectTracker, dataFrame, loggedIn, newImei } from './tracker.ts';

let redis: Redis;
let ingest: TestIngest;
let imei: string;

beforeEach(async () => {
  const { url } = await createRedis();
  redis = lookInto(url);
  ingest = await startIngest(url, { INGEST_LISTENERS: 'teltonika:0,gt06:0' });
  imei = newImei();
});

async function acknowledgements(tracker: Tracker, count: number): Promise<number[]> {
  const counts: number[] = [];
  for (let index = 0; index < count; index += 1) counts.push(await tracker.acknowledgement());
  return counts;
}

describe('teltonika', () => {
  it('acknowledges several frames of one chunk in their order, with pings between', async () => {
    const tracker = await loggedIn(ingest.port(), imei);
    const frames = [3, 1, 2, 5].map((count, index) => dataFrame(count, 1_690_000_000_000 + index * 60_000));
    tracker.send(...frames.flatMap((frame) => [PING, frame, PING]));
    expect(await acknowledgements(tracker, 4)).toEqual([3, 1, 2, 5]);
    expect(tracker.received).toHaveLength(17);
    expect(await recordsOf(redis, imei)).toHaveLength(11);
    expect((await entriesIn(redis)).map(({ records }) => records.length)).toEqual([3, 1, 2, 5]);
  });

  it('takes login and data in one chunk', async () => {
    const tracker = await connectTracker(ingest.port());
    tracker.send(encodeLogin(imei), dataFrame(2), dataFrame(3));
    expect(await tracker.read(9)).toEqual(Buffer.from('010000000200000003', 'hex'));
  });

  it('takes a byte at a time', async () => {
    const tracker = await connectTracker(ingest.port());
    const bytes = Buffer.concat([encodeLogin(imei), dataFrame(2), PING, dataFrame(1)]);
    for (const byte of bytes) tracker.send(Buffer.from([byte]));
    expect(await tracker.read(9)).toEqual(Buffer.from('010000000200000001', 'hex'));
    expect(await recordsOf(redis, imei)).toHaveLength(3);
  });

  it('acknowledges a frame without records, and appends nothing', async () => {
    const tracker = await loggedIn(ingest.port(), imei);
    tracker.send(dataFrame(1), frameOf(Buffer.from('080000', 'hex')));
    expect(await acknowledgements(tracker, 2)).toEqual([1, 0]);
    expect(await entriesIn(redis)).toHaveLength(1);
  });

  it('answers the same login again in its turn, and keeps the connection', async () => {
    const tracker = await loggedIn(ingest.port(), imei);
    tracker.send(dataFrame(2), encodeLogin(imei), dataFrame(1));
    expect(await tracker.read(9)).toEqual(Buffer.from('000000020100000001', 'hex'));
    expect(await recordsOf(redis, imei)).toHaveLength(3);
  });

  it('files what follows a second login under the second device', async () => {
    const other = newImei();
    const tracker = await loggedIn(ingest.port(), imei);
    tracker.send(dataFrame(2), encodeLogin(other), dataFrame(1));
    expect(await tracker.read(9)).toEqual(Buffer.from('000000020100000001', 'hex'));
    expect(await recordsOf(redis, imei)).toHaveLength(2);
    expect(await recordsOf(redis, other)).toHaveLength(1);
  });

  it('answers a tracker that has closed its own side already, then closes', async () => {
    const tracker = await loggedIn(ingest.port(), imei);
    tracker.socket.allowHalfOpen = true;
    tracker.socket.end(Buffer.concat([dataFrame(2), dataFrame(1)]));
    expect(await acknowledgements(tracker, 2)).toEqual([2, 1]);
    await tracker.closed();
    await eventually(async () => {
      expect(await ingest.metric('odograph_ingest_disconnections_total', { reason: 'peer_closed' })).toBe(1);
      expect(await ingest.metric('odograph_ingest_connections')).toBe(0);
    });
  });

  it('appends the frames of a tracker that is gone', async () => {
    const tracker = await loggedIn(ingest.port(), imei);
    tracker.socket.end(dataFrame(2));
    tracker.socket.destroySoon();
    await eventually(async () => { expect(await recordsOf(redis, imei)).toHaveLength(2); });
  });
});

describe('gt06', () => {
  const fix: Gt06Fix = {
    ts: 1_690_000_000_000, latitude: 54.6872, longitude: 25.2797, speed: 48, course: 214, satellites: 9, valid: true,
  };
  const upload = { ignition: true, mode: 0, archive: false, odometer: 1000 };

  it('answers each packet with its own serial number, in order', async () => {
    const tracker = await connectTracker(ingest.port('tcp', 'gt06'));
    const state = { ignition: true, charge: true, armed: false, blocked: false, voltageLevel: 5, signal: 4 };
    const packets = [7, 8, 9].flatMap((serial) => [
      encodeLocation({ ...fix, ts: fix.ts + serial * 1000 }, upload, 100 + serial), encodeHeartbeat(state, serial),
    ]);
    tracker.send(encodeGt06Login({ imei }, 6), ...packets);
    const answers: string[] = [];
    for (let count = 0; count < 7; count += 1) answers.push((await tracker.read(10)).toString('hex', 3, 6));
    expect(answers).toEqual(['010006', '22006b', '130007', '22006c', '130008', '22006d', '130009']);
    expect(await recordsOf(redis, imei)).toHaveLength(6);
  });
});

describe('responses to commands', () => {
  const response = 'Ver:03.18.14_04 GPS:AXN_5.10 Hw:FMB120';
  const text = Buffer.from(response);
  const sized = (prefix: Buffer): Buffer => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(prefix.length + text.length);
    return Buffer.concat([size, prefix, text]);
  };
  const message = (codec: number, prefix: Buffer): Buffer =>
    frameOf(Buffer.concat([Buffer.from([codec, 1, 6]), sized(prefix), Buffer.from([1])]));
  const seconds = Buffer.alloc(4);
  seconds.writeUInt32BE(1_690_000_000);

  const cases: readonly (readonly [codec: number, frame: Buffer])[] = [
    [12, encodeCommandResponse(response)],
    [13, message(0x0d, seconds)],
    [14, message(0x0e, Buffer.from('0356307042441013', 'hex'))],
  ];

  it.each(cases)('of codec %i become records with their text', async (codec, frame) => {
    const tracker = await loggedIn(ingest.port(), imei);
    const before = Date.now();
    // A message takes no acknowledgement: the one that comes is that of the frame behind it.
    tracker.send(frame, encodeAvlFrame([avlRecord(), avlRecord([], { eventId: 1 })], '8'));
    expect(await tracker.acknowledgement()).toBe(2);
    const record = (await recordsOf(redis, imei))[0]!;
    expect(record).toMatchObject({ latitude: null, longitude: null, valid: false });
    expect(record.attributes.get('result')).toBe(response);
    expect(record.attributes.get('messageCodec')).toBe(codec);
    if (codec === 13) expect(record.ts).toBe(1_690_000_000_000);
    else expect(record.ts).toBeGreaterThanOrEqual(before);
    expect(tracker.received).toHaveLength(5);
  });
});
