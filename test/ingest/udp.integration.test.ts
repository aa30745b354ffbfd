/** UDP listeners: a datagram is answered after its records are in the stream, or not at all. */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { encodeAvlDatagram } from '../../src/protocols/teltonika/encode.ts';
import { DEVICE_LIST_DIGEST_KEY, DISABLED_DEVICES_KEY } from '../../src/shared/contracts/device-list.ts';
import { createRedis, startPrivateRedis } from '../support/redis.ts';
import { eventually } from '../support/eventually.ts';
import type { Labels, TestIngest } from './support.ts';
import { deadLettersIn, endServer, lookInto, recordsOf, startIngest } from './support.ts';
import { newImei, recordsFrom } from './tracker.ts';

const TS = 1_690_000_000_000;
const REJECTIONS = 'odograph_ingest_rejections_total';
const QUEUE = 'odograph_ingest_append_queue_bytes';

let redisUrl: string;
let redis: Redis;
let imei: string;
let tracker: Socket;
let answers: string[];

beforeEach(async () => {
  redisUrl = (await createRedis()).url;
  redis = lookInto(redisUrl);
  imei = newImei();
  answers = [];
  tracker = createSocket('udp4');
  tracker.on('message', (answer) => answers.push(answer.toString('hex')));
  tracker.bind(0, '127.0.0.1');
  await once(tracker, 'listening');
  onTestFinished(() => { tracker.close(); });
});

function start(url = redisUrl, settings: Labels = {}): Promise<TestIngest> {
  return startIngest(url, { INGEST_LISTENERS: 'teltonika+udp:0', ...settings });
}

function send(ingest: TestIngest, datagram: Buffer): void {
  tracker.send(datagram, ingest.port('udp'), '127.0.0.1');
}

/** A datagram of `count` records, numbered `id`. */
function datagram(count: number, id: number, device = imei): Buffer {
  return encodeAvlDatagram(device, recordsFrom(TS, count), '8E', 0xca00 + id, id);
}

async function answered(...expected: readonly string[]): Promise<void> {
  await eventually(() => answers.length >= expected.length);
  expect(answers).toEqual(expected);
}

describe('a datagram', () => {
  it('is answered with its ids and the number of its records, which are in the stream', async () => {
    const ingest = await start();
    send(ingest, datagram(3, 7));
    await answered('0005ca07010703');
    expect(await recordsOf(redis, imei)).toHaveLength(3);
    expect(await ingest.metric('odograph_ingest_records_total')).toBe(3);
    expect(await ingest.metric('odograph_ingest_ack_latency_seconds_count')).toBe(1);
  });

  it('is answered only after the append', async () => {
    const server = await startPrivateRedis();
    try {
      const ingest = await start(server.url);
      await server.freeze();
      send(ingest, datagram(2, 1));
      await eventually(async () => { expect(await ingest.metric('odograph_ingest_append_failures_total')).toBeGreaterThan(0); });
      expect(answers).toEqual([]);
      await server.thaw();
      await answered('0005ca01010102');
    } finally {
      await endServer(server);
    }
  });

  it('that is none of the protocol, or names no IMEI, is counted and not answered', async () => {
    const ingest = await start();
    for (const bad of [Buffer.from('GET / HTTP/1.1'), Buffer.alloc(0), datagram(1, 1, 'not-an-imei'), datagram(1, 2).subarray(0, -1)]) send(ingest, bad);
    send(ingest, datagram(1, 3));
    await answered('0005ca03010301');
    expect(await ingest.metric(REJECTIONS, { reason: 'length_out_of_range' })).toBe(3);
    expect(await ingest.metric(REJECTIONS, { reason: 'invalid_imei' })).toBe(1);
    expect(await ingest.metric('odograph_ingest_frames_total', { result: 'refused' })).toBe(4);
    expect(await deadLettersIn(redis)).toEqual([]);
  });

  it('with a record that cannot be kept is a dead letter, and answered in full', async () => {
    const ingest = await start();
    const bad = encodeAvlDatagram(imei, [...recordsFrom(TS, 2), ...recordsFrom(TS, 1, { latitude: 95 })], '8E', 0xca01, 1);
    send(ingest, bad);
    await answered('0005ca01010103');
    expect(await deadLettersIn(redis)).toMatchObject([
      { reason: 'bad_field', field: 'records[2].latitude', deviceId: imei, protocol: 'teltonika', raw: bad, session: null },
    ]);
    expect(await recordsOf(redis, imei)).toHaveLength(2);
  });

  it('whose counts differ is refused twice, then kept as a dead letter and answered', async () => {
    const ingest = await start();
    const bad = datagram(3, 1);
    bad[bad.length - 1] = 2;
    for (const time of [1, 2, 3]) {
      send(ingest, bad);
      await eventually(async () => { expect(await ingest.metric(REJECTIONS, { reason: 'count_mismatch' })).toBe(time); });
    }
    await answered('0005ca01010103');
    expect(await deadLettersIn(redis)).toMatchObject([{ reason: 'count_mismatch', deviceId: imei, raw: bad }]);
  });

  it('of a device that may not log in is not answered, however often it comes', async () => {
    await redis.multi().sadd(DISABLED_DEVICES_KEY, imei).set(DEVICE_LIST_DIGEST_KEY, '1').exec();
    const ingest = await start();
    const bad = datagram(3, 1);
    bad[bad.length - 1] = 2;
    for (const one of [datagram(1, 2), bad, bad, bad]) send(ingest, one);
    send(ingest, datagram(1, 9, newImei()));
    await answered('0005ca09010901');
    expect(await ingest.metric(REJECTIONS, { reason: 'device_disabled' })).toBeGreaterThanOrEqual(2);
    expect(await recordsOf(redis, imei)).toEqual([]);
    expect(await deadLettersIn(redis)).toEqual([]);
  });
});

describe('datagrams of new devices', () => {
  it('are taken as far as INGEST_NEW_DEVICES_PER_MINUTE goes, and those of devices let in always', async () => {
    const ingest = await start(redisUrl, { INGEST_NEW_DEVICES_PER_MINUTE: '1' });
    for (let id = 1; id <= 10; id += 1) send(ingest, datagram(1, id, newImei()));
    await eventually(() => answers.length === 10);
    const late = newImei();
    send(ingest, datagram(1, 11, late));
    await eventually(async () => { expect(await ingest.metric(REJECTIONS, { reason: 'registration_limited' })).toBe(1); });
    expect(await recordsOf(redis, late)).toEqual([]);
    expect(answers).toHaveLength(10);
  });
});

describe('the listener', () => {
  it('drops datagrams while the stream does not keep up, and serves again afterwards', async () => {
    const server = await startPrivateRedis();
    try {
      const ingest = await start(server.url, { INGEST_APPEND_QUEUE_BYTES: String(1024 * 1024) });
      await server.freeze();
      await eventually(async () => {
        for (let id = 0; id < 20; id += 1) send(ingest, encodeAvlDatagram(newImei(), recordsFrom(TS, 40), '8E', id, 1));
        return (await ingest.metric(REJECTIONS, { reason: 'overloaded' })) > 0;
      });
      expect(await ingest.metric(QUEUE)).toBeLessThan(1.1 * 1024 * 1024);
      expect(answers).toEqual([]);
      await server.thaw();
      await eventually(async () => { expect(await ingest.metric(QUEUE)).toBe(0); });
      answers.length = 0;
      send(ingest, datagram(1, 5));
      await eventually(() => answers.includes('0005ca05010501'));
      expect(ingest.warnings('overloaded').length).toBeLessThan(25);
    } finally {
      await endServer(server);
    }
  });

  it('answers what was under way before it ends', async () => {
    const server = await startPrivateRedis();
    try {
      const ingest = await start(server.url, { INGEST_APPEND_TIMEOUT_MS: '5000', SHUTDOWN_TIMEOUT_MS: '10000' });
      await server.freeze();
      send(ingest, datagram(2, 1));
      await eventually(async () => { expect(await ingest.metric(QUEUE)).toBeGreaterThan(0); });
      const stopped = ingest.stop();
      await server.thaw();
      await stopped;
      await answered('0005ca01010102');
    } finally {
      await endServer(server);
    }
  });
});
