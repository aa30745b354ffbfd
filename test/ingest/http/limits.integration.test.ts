/** How often a caller may write, and what an Idempotency-Key is good for, with a real Redis. */
import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import { DEVICE_LIST_DIGEST_KEY, ENABLED_DEVICES_KEY } from '../../../src/shared/contracts/device-list.ts';
import { eventually } from '../../support/eventually.ts';
import { createRedis } from '../../support/redis.ts';
import { lookInto, recordsOf } from '../support.ts';
import { NDJSON, expectStatus, lines, newDevice, recordsFor, startWriteApi } from './support.ts';

let url: string;
let redis: Redis;

beforeEach(async () => {
  ({ url } = await createRedis());
  redis = lookInto(url);
});

describe('the rate limit', () => {
  it('admits so many requests, says what is left, and turns further ones away with when to come again', async () => {
    const { post, ingest } = await startWriteApi(url, { INGEST_HTTP_REQUESTS_PER_MINUTE: '5' });
    const body = recordsFor(newDevice(), 3);
    for (let left = 4; left >= 0; left -= 1) {
      const { status, headers } = await post(body);
      expect([status, headers.get('ratelimit-limit'), headers.get('ratelimit-remaining')]).toEqual([202, '5', String(left)]);
      expect(headers.get('ratelimit-policy')).toBe('5;w=60');
      expect(Number(headers.get('ratelimit-reset'))).toBeLessThanOrEqual(60);
    }
    const refused = await post(body);
    expectStatus(refused, 429);
    expect(refused.body.code).toBe('rate_limited');
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThanOrEqual(1);
    expect(wait).toBeLessThanOrEqual(120);
    expect(await ingest.metric('odograph_http_writes_rate_limited_total')).toBe(1);
  });

  it('counts callers apart, and all processes together', async () => {
    const limit = { INGEST_HTTP_REQUESTS_PER_MINUTE: '2' };
    const [first, second] = [await startWriteApi(url, limit), await startWriteApi(url, limit)];
    expectStatus(await first.post([]), 202);
    expectStatus(await second.post([]), 202);
    expectStatus(await first.post([]), 429);
    expectStatus(await second.post([], { key: 'own' }), 202);
  });

  it('of requests that come together admits as many as there is room for, each told what is left after it', async () => {
    const { post } = await startWriteApi(url, { INGEST_HTTP_REQUESTS_PER_MINUTE: '7' });
    expectStatus(await post([]), 202);
    const answers = await Promise.all(Array.from({ length: 20 }, () => post([])));
    const admitted = answers.filter(({ status }) => status === 202);
    expect(admitted.map(({ headers }) => Number(headers.get('ratelimit-remaining'))).toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(14);
    for (const { headers } of refused) expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });

  it('counts requests, not records', async () => {
    const { post } = await startWriteApi(url, { INGEST_HTTP_REQUESTS_PER_MINUTE: '2' });
    expectStatus(await post(recordsFor(newDevice(), 5_000)), 202);
    expectStatus(await post([]), 202);
  });

  it('slides: of the minute before it counts as much as the window still covers', async () => {
    const { post } = await startWriteApi(url, { INGEST_HTTP_REQUESTS_PER_MINUTE: '10' });
    const [seconds] = await redis.time();
    const [slot, into] = [Math.floor(Number(seconds) / 60), Number(seconds) % 60];
    await redis.hset('http:rate:{writer}', { slot: slot - 1, current: 10, previous: 0 });
    const answers = [];
    for (let request = 0; request < 12; request += 1) answers.push((await post([])).status);
    const admitted = answers.filter((status) => status === 202).length;
    // As many as the part of the minute before that the window has left behind.
    expect(admitted).toBeGreaterThanOrEqual(Math.floor(into / 6));
    expect(admitted).toBeLessThanOrEqual(Math.floor((into + 3) / 6) + 1);
  });

  it('leaves nothing behind in Redis for a caller that is gone', async () => {
    const { post } = await startWriteApi(url);
    await post([]);
    expect(await redis.pttl('http:rate:{writer}')).toBeGreaterThan(0);
  });

  it('can be switched off', async () => {
    const { post } = await startWriteApi(url, { INGEST_HTTP_REQUESTS_PER_MINUTE: '0' });
    const { status, headers } = await post([]);
    expect([status, headers.get('ratelimit-limit')]).toEqual([202, null]);
  });
});

describe('an Idempotency-Key', () => {
  const keyed = (key: string) => ({ headers: { 'idempotency-key': key } });

  it('gives the same request the same answer, and appends nothing twice', async () => {
    const { post, ingest } = await startWriteApi(url);
    const deviceId = newDevice();
    const body = [...recordsFor(deviceId, 5), { deviceId }];
    const first = await post(body, keyed('k1'));
    expectStatus(first, 202);
    expect(first.body).toMatchObject({ accepted: 5, rejected: 1 });
    const again = await post(body, keyed('k1'));
    expect([again.status, again.text]).toEqual([202, first.text]);
    expect([first, again].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true']);
    expect(await recordsOf(redis, deviceId)).toHaveLength(5);
    expect(await ingest.metric('odograph_http_idempotency_keys_total', { result: 'replayed' })).toBe(1);
  });

  it('gives it for a request of which nothing was kept, too', async () => {
    const { post } = await startWriteApi(url);
    const answers = [await post([{}], keyed('k')), await post([{}], keyed('k'))];
    for (const { status, body } of answers) expect([status, body.errors]).toMatchObject([422, [{ index: 0, field: 'deviceId' }]]);
  });

  it('belongs to its caller, and to one body', async () => {
    const { post } = await startWriteApi(url);
    const body = recordsFor(newDevice('own'), 1);
    expectStatus(await post(body, keyed('k')), 202);
    const other = await post(recordsFor(newDevice(), 1), keyed('k'));
    expectStatus(other, 422);
    expect(other.body.code).toBe('idempotency_key_reused');
    const strict = await post(body, { headers: { 'idempotency-key': 'k', prefer: 'handling=strict' } });
    expectStatus(strict, 422);
    const elsewhere = await post(body, { ...keyed('k'), key: 'own' });
    expect([elsewhere.status, elsewhere.headers.get('idempotent-replayed')]).toEqual([202, null]);
  });

  it('is answered by another process, and is the same compressed or not', async () => {
    const [first, second] = [await startWriteApi(url), await startWriteApi(url)];
    const body = lines(recordsFor(newDevice(), 3));
    expectStatus(await first.post(body, { headers: { ...NDJSON, 'idempotency-key': 'k' } }), 202);
    const { gzipSync } = await import('node:zlib');
    const again = await second.post(gzipSync(body), { headers: { ...NDJSON, 'idempotency-key': 'k', 'content-encoding': 'gzip' } });
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
  });

  it('of a request that is under way is in use; the same two at once append once', async () => {
    const { post } = await startWriteApi(url);
    const deviceId = newDevice();
    const body = recordsFor(deviceId, 2_000);
    const answers = await Promise.all(Array.from({ length: 6 }, () => post(body, keyed('k'))));
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses.every((status) => status === 202 || status === 409)).toBe(true);
    for (const { status, headers } of answers) if (status === 409) expect(headers.get('retry-after')).toBe('1');
    expect(await recordsOf(redis, deviceId)).toHaveLength(2_000);
  });

  it('is not tied to an answer that says to come again', async () => {
    const { post } = await startWriteApi(url, { INGEST_UNKNOWN_DEVICES: 'reject', DEVICE_LIST_REFRESH_MS: '100' });
    const body = recordsFor('known', 1);
    expectStatus(await post(body, keyed('k')), 503);
    await redis.sadd(ENABLED_DEVICES_KEY, 'known');
    await redis.set(DEVICE_LIST_DIGEST_KEY, 'list');
    await eventually(async () => (await post(body, keyed('k'))).status === 202);
  });

  it('is forgotten with the time', async () => {
    const { post } = await startWriteApi(url, { INGEST_HTTP_IDEMPOTENCY_MS: '1000' });
    await post(recordsFor(newDevice(), 1), keyed('k'));
    const [key] = await redis.keys('http:idempotency:*');
    expect(await redis.pttl(key!)).toBeLessThanOrEqual(1_000);
    expect(await redis.strlen(key!)).toBeLessThan(120);
  });

  it('that cannot be one is refused', async () => {
    const { post } = await startWriteApi(url);
    for (const key of ['with space', 'x'.repeat(256)]) expectStatus(await post([], keyed(key)), 400);
  });

  it('needs a body that can be read as a whole', async () => {
    const { post } = await startWriteApi(url, { INGEST_HTTP_MAX_BODY_BYTES: '2000' });
    expectStatus(await post(lines(recordsFor(newDevice(), 50)), { headers: { ...NDJSON, 'idempotency-key': 'k' } }), 413);
  });
});
