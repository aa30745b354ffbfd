/** What `POST /v1/records` takes, keeps and refuses. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import { decodeRecord } from '../../../src/shared/contracts/stored-record.ts';
import { DISABLED_DEVICES_KEY, DEVICE_LIST_DIGEST_KEY, ENABLED_DEVICES_KEY } from '../../../src/shared/contracts/device-list.ts';
import { createRedis } from '../../support/redis.ts';
import { entriesIn, lookInto, recordsOf } from '../support.ts';
import { NDJSON, expectStatus, lines, newDevice, recordsFor, startWriteApi } from './support.ts';

const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;
const RECORDS = 'odograph_http_records_total';

let url: string;
let redis: Redis;

beforeEach(async () => {
  ({ url } = await createRedis());
  redis = lookInto(url);
});

describe('a body', () => {
  it('may be one record, with any named measurement and without a position', async () => {
    const { post } = await startWriteApi(url);
    const deviceId = newDevice();
    const ts = Date.now();
    const attributes = { temperature: -18.5, door: false, note: 'ąč', serial: { __bigint: '18446744073709551615' }, raw: { __buffer_b64: 'AQID' } };
    const answer = await post({ deviceId, ts, attributes });
    expectStatus(answer, 202);
    expect(answer.body).toEqual({ accepted: 1, rejected: 0, reasons: {}, errors: [] });
    expect(await recordsOf(redis, deviceId)).toEqual([{
      ts, latitude: null, longitude: null, altitude: null, course: null, speed: null, satellites: null, hdop: null,
      valid: false, priority: 0, eventId: 0,
      attributes: new Map<string, unknown>([['temperature', -18.5], ['door', false], ['note', 'ąč'], ['serial', 18446744073709551615n], ['raw', Buffer.from([1, 2, 3])]]),
    }]);
  });

  it('may be an array: its records are few entries of protocol http, each of one device in order', async () => {
    const { post } = await startWriteApi(url);
    const [a, b] = [newDevice(), newDevice()];
    const [ofA, ofB] = [recordsFor(a, 600), recordsFor(b, 10)];
    const mixed = ofA.flatMap((record, index) => (index < 10 ? [record, ofB[index]] : [record]));
    const before = Date.now();
    expectStatus(await post(mixed), 202);
    const entries = await entriesIn(redis);
    expect(entries.length).toBeLessThanOrEqual(6);
    for (const { protocol, receivedAt } of entries) {
      expect(protocol).toBe('http');
      expect(receivedAt).toBeGreaterThanOrEqual(before);
    }
    expect((await recordsOf(redis, a)).map(({ ts }) => ts)).toEqual(ofA.map(({ ts }) => ts));
    expect((await recordsOf(redis, b)).map(({ ts }) => ts)).toEqual(ofB.map(({ ts }) => ts));
  });

  it('may be NDJSON, with blank lines, a byte order mark and no line end at the end', async () => {
    const { post } = await startWriteApi(url);
    const deviceId = newDevice();
    const [first, second] = recordsFor(deviceId, 2);
    const answer = await post(`\ufeff${JSON.stringify(first)}\r\n\n${JSON.stringify(second)}`, { headers: NDJSON });
    expectStatus(answer, 202);
    expect(answer.body.accepted).toBe(2);
    expect(await recordsOf(redis, deviceId)).toHaveLength(2);
  });

  it.each([['gzip', gzipSync], ['deflate', deflateSync], ['br', brotliCompressSync]] as const)('may be compressed with %s', async (encoding, compress) => {
    const { post } = await startWriteApi(url);
    const deviceId = newDevice();
    const records = recordsFor(deviceId, 300);
    for (const [body, headers] of [[JSON.stringify(records), {}], [lines(records), NDJSON]] as const) {
      const answer = await post(compress(Buffer.from(body)), { headers: { ...headers, 'content-encoding': encoding } });
      expectStatus(answer, 202);
      expect(answer.body.accepted).toBe(300);
    }
    expect(await recordsOf(redis, deviceId)).toHaveLength(600);
  });

  it('that is empty holds nothing, and is no mistake as NDJSON or an empty array', async () => {
    const { post } = await startWriteApi(url);
    for (const [body, headers] of [['[]', {}], ['', NDJSON], ['\n\n', NDJSON]] as const) {
      const answer = await post(body, { headers });
      expectStatus(answer, 202);
      expect(answer.body.accepted).toBe(0);
    }
    expectStatus(await post('', {}), 400);
  });

  it.each([
    ['[{"deviceId":"a","ts":1},\n {"deviceId":]', 'line 2, column 14'],
    ['nothing', 'line 1, column 1'],
    ['[', 'line 1, column 2'],
    ['12', 'expected a record, or an array of records'],
    ['null', 'expected a record, or an array of records'],
  ])('that is malformed is refused with where: %s', async (body, where) => {
    const { post } = await startWriteApi(url);
    const answer = await post(body);
    expectStatus(answer, 400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'invalid_request', detail: expect.stringContaining(where) as string });
  });

  it('that is not UTF-8, or not what its encoding says, is refused', async () => {
    const { post } = await startWriteApi(url);
    expectStatus(await post(Buffer.from('[{"deviceId":"\xff"}]', 'latin1')), 400);
    expectStatus(await post('no gzip', { headers: { 'content-encoding': 'gzip' } }), 400);
    const cut = gzipSync(lines(recordsFor(newDevice(), 100))).subarray(0, -20);
    expectStatus(await post(cut, { headers: { ...NDJSON, 'content-encoding': 'gzip' } }), 400);
  });

  it('of another type or encoding is refused with 415', async () => {
    const { post } = await startWriteApi(url);
    expectStatus(await post('a,b', { headers: { 'content-type': 'text/csv' } }), 415);
    const answer = await post('[]', { headers: { 'content-encoding': 'zstd' } });
    expectStatus(answer, 415);
    expect(answer.headers.get('accept-encoding')).toBe('gzip, deflate, br');
  });

  it('that is too long is refused with 413, announced or not, and what came before of a stream is kept', async () => {
    const { post } = await startWriteApi(url, { INGEST_HTTP_MAX_BODY_BYTES: '2000', INGEST_HTTP_MAX_STREAM_BYTES: '300000' });
    expectStatus(await post(recordsFor(newDevice(), 100)), 413);
    const deviceId = newDevice();
    const answer = await post(new Blob([lines(recordsFor(deviceId, 4_000))]).stream(), { headers: NDJSON });
    expectStatus(answer, 413);
    const kept = (await recordsOf(redis, deviceId)).length;
    expect(kept).toBeGreaterThan(0);
    expect(answer.body.detail).toContain(`the first ${kept} records`);
  });

  it('that would decompress to far more than it is, is given up when it does', async () => {
    const { post } = await startWriteApi(url);
    const { post: small } = await startWriteApi(url, { INGEST_HTTP_MAX_STREAM_BYTES: String(4 * MIB) });
    // A gibibyte each.
    const bombOf = (character: string): Buffer => {
      const part = gzipSync(Buffer.alloc(16 * MIB, character), { level: 9 });
      return Buffer.concat(Array.from({ length: 64 }, () => part));
    };
    const [spaces, newlines] = [bombOf(' '), bombOf('\n')];
    const before = process.memoryUsage().rss;
    expectStatus(await post(spaces, { headers: { 'content-encoding': 'gzip' } }), 413);
    expectStatus(await small(newlines, { headers: { ...NDJSON, 'content-encoding': 'gzip' } }), 413);
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * MIB);
  });
});

describe('a record that cannot be kept', () => {
  it('is named with index, field and reason, while the good ones are kept', async () => {
    const { post, ingest } = await startWriteApi(url);
    const deviceId = newDevice();
    const [good, other] = recordsFor(deviceId, 2);
    const bad = [
      { ...good, latitude: 95 }, { ...good, ts: Date.now() + 600_000 }, { ...good, ts: Date.now() - 400 * DAY_MS },
      { deviceId }, { ...good, attributes: { fuel: null } },
    ];
    const all = [good, ...bad, other];
    const reasons = { bad_field: 3, clock_ahead: 1, clock_behind: 1 };
    for (const [body, headers] of [[JSON.stringify(all), {}], [lines(all), NDJSON]] as const) {
      const answer = await post(body, { headers });
      expectStatus(answer, 202);
      expect(answer.body).toMatchObject({ accepted: 2, rejected: 5, reasons });
      expect(answer.body.errors.map(({ index, field, reason }) => [index, field, reason])).toEqual([
        [1, 'latitude', 'bad_field'], [2, 'ts', 'clock_ahead'], [3, 'ts', 'clock_behind'], [4, 'ts', 'bad_field'], [5, 'attributes.fuel', 'bad_field'],
      ]);
    }
    expect(await recordsOf(redis, deviceId)).toHaveLength(4);
    expect(await redis.exists('telemetry:dlq')).toBe(0);
    expect(await ingest.metric(RECORDS, { result: 'accepted' })).toBe(4);
    expect(await ingest.metric(RECORDS, { reason: 'bad_field' })).toBe(6);
    expect(await ingest.metric('odograph_ingest_records_total', { protocol: 'http' })).toBe(4);
  });

  it('is a line that is no JSON, or longer than a record may be', async () => {
    const { post } = await startWriteApi(url, { INGEST_HTTP_MAX_RECORD_BYTES: '1024' });
    const deviceId = newDevice();
    const [good] = recordsFor(deviceId, 1);
    const answer = await post(`{"deviceId":\n${JSON.stringify(good)}\n"${'x'.repeat(5_000)}"\n{}{}\n${JSON.stringify(good)}`, { headers: NDJSON });
    expectStatus(answer, 202);
    expect(answer.body.accepted).toBe(2);
    expect(answer.body.errors.map(({ index, reason }) => [index, reason])).toEqual([[0, 'malformed_json'], [2, 'record_too_large'], [3, 'malformed_json']]);
  });

  it('is named up to a bound, and counted beyond it', async () => {
    const { post } = await startWriteApi(url);
    const answer = await post([...Array.from({ length: 1_500 }, () => ({})), ...recordsFor(newDevice(), 1)]);
    expectStatus(answer, 202);
    expect(answer.body.rejected).toBe(1_500);
    expect(answer.body.errors).toHaveLength(1_000);
  });

  it('is 422 when there is no other, with the same errors', async () => {
    const { post } = await startWriteApi(url);
    const answer = await post({ deviceId: newDevice(), ts: Date.now() - 400 * 86_400_000 });
    expectStatus(answer, 422);
    expect(answer.body).toMatchObject({ code: 'records_refused', errors: [{ index: 0, field: 'ts', reason: 'clock_behind' }] });
  });

  it('refuses all of them under handling=strict, before anything is appended', async () => {
    const { post } = await startWriteApi(url);
    const deviceId = newDevice();
    const records = [...recordsFor(deviceId, 1_000), { deviceId }];
    const strict = { prefer: 'respond-async, handling=strict' };
    const ofLines = { ...NDJSON, ...strict };
    for (const [body, headers] of [[JSON.stringify(records), strict], [lines(records), ofLines]] as const) {
      const answer = await post(body, { headers });
      expectStatus(answer, 422);
      expect(answer.body).toMatchObject({ code: 'records_refused', errors: [{ index: 1_000, field: 'ts', reason: 'bad_field' }] });
    }
    expect(await recordsOf(redis, deviceId)).toEqual([]);
    const answer = await post(lines(records.slice(0, -1)), { headers: { ...NDJSON, ...strict } });
    expectStatus(answer, 202);
    expect(answer.headers.get('preference-applied')).toBe('handling=strict');
    expect(await recordsOf(redis, deviceId)).toHaveLength(1_000);
  });
});

describe('who may write', () => {
  it('is who has the scope', async () => {
    const { post } = await startWriteApi(url);
    expectStatus(await post([], { key: 'nobody' }), 401);
    expectStatus(await post([], { key: 'reader' }), 403);
  });

  it('is asked for each device: records of others are forbidden', async () => {
    const { post } = await startWriteApi(url);
    const [own, other] = [newDevice('own'), newDevice()];
    const answer = await post([...recordsFor(own, 2), ...recordsFor(other, 1)], { key: 'own' });
    expectStatus(answer, 202);
    expect(answer.body).toMatchObject({ accepted: 2, errors: [{ index: 2, field: 'deviceId', reason: 'forbidden' }] });
    expect(await recordsOf(redis, other)).toEqual([]);
  });

  it('may write what is older than a year with the scope admin', async () => {
    const { post } = await startWriteApi(url);
    const deviceId = newDevice();
    const record = { deviceId, ts: '1999-12-31T23:59:59Z' };
    expectStatus(await post(record), 422);
    expectStatus(await post(record, { key: 'admin' }), 202);
    expect(await recordsOf(redis, deviceId)).toHaveLength(1);
  });

  it('is a device in the list and enabled, where unknown ones are rejected', async () => {
    await redis.sadd(ENABLED_DEVICES_KEY, 'known');
    await redis.sadd(DISABLED_DEVICES_KEY, 'disabled');
    await redis.set(DEVICE_LIST_DIGEST_KEY, 'list');
    const { post } = await startWriteApi(url, { INGEST_UNKNOWN_DEVICES: 'reject' });
    const answer = await post(['known', 'disabled', 'unknown'].flatMap((deviceId) => recordsFor(deviceId, 1)));
    expectStatus(answer, 202);
    expect(answer.body.errors.map(({ index, reason }) => [index, reason])).toEqual([[1, 'device_disabled'], [2, 'unknown_device']]);
  });

  it('is told to come again while no list of devices was read', async () => {
    const { post } = await startWriteApi(url, { INGEST_UNKNOWN_DEVICES: 'reject' });
    const answer = await post(recordsFor('known', 1));
    expectStatus(answer, 503);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(answer.body.errors).toMatchObject([{ reason: 'device_list_unavailable' }]);
  });

  it('is a new device within the limit of new devices, which forbidden ones do not use up', async () => {
    const { post } = await startWriteApi(url, { INGEST_NEW_DEVICES_PER_MINUTE: '1' });
    const others = Array.from({ length: 20 }, () => recordsFor(newDevice(), 1)).flat();
    expectStatus(await post(others, { key: 'own' }), 422);
    const answer = await post(Array.from({ length: 12 }, () => recordsFor(newDevice('own'), 1)).flat(), { key: 'own' });
    expectStatus(answer, 202);
    expect(answer.body).toMatchObject({ accepted: 10, reasons: { registration_limited: 2 } });
  });
});

describe('an NDJSON stream', () => {
  it('is appended while it comes', async () => {
    const { post } = await startWriteApi(url);
    const deviceId = newDevice();
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const answered = post(readable, { headers: NDJSON });
    const writer = writable.getWriter();
    const [first, second] = recordsFor(deviceId, 2);
    await writer.write(Buffer.from(`${JSON.stringify(first)}\n`));
    await expect.poll(async () => (await recordsOf(redis, deviceId)).length).toBe(1);
    await writer.write(Buffer.from(`${JSON.stringify(second)}\n`));
    await writer.close();
    const answer = await answered;
    expectStatus(answer, 202);
    expect(answer.body.accepted).toBe(2);
    const entries = (await entriesIn(redis)).filter((entry) => entry.deviceId === deviceId);
    expect(entries.flatMap(({ records }) => records.map((result) => result.ok && decodeRecord(result.record).ts))).toEqual([first?.['ts'], second?.['ts']]);
  });

  it('whose client goes away leaves what it has brought, and no error', async () => {
    const { post, ingest } = await startWriteApi(url);
    const deviceId = newDevice();
    const aborter = new AbortController();
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const answered = post(readable, { headers: NDJSON, signal: aborter.signal });
    const writer = writable.getWriter();
    await writer.write(Buffer.from(lines(recordsFor(deviceId, 1))));
    await expect.poll(async () => (await recordsOf(redis, deviceId)).length).toBe(1);
    aborter.abort();
    await expect(answered).rejects.toThrow();
    await expect.poll(() => ingest.log.some(({ msg }) => msg.includes('went away'))).toBe(true);
    expect(ingest.warnings()).toEqual([]);
  });
});
