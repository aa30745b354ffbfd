/** No 202 without its records in the stream: with a Redis that hangs, dies or is full, at two levels of durability. */
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import type { PrivateServer } from '../../support/private-server.ts';
import { startPrivateRedis } from '../../support/redis.ts';
import { endServer, lookInto, recordsOf } from '../support.ts';
import type { Answer, WriteApi } from './support.ts';
import { NDJSON, expectStatus, lines, newDevice, recordsFor, startWriteApi } from './support.ts';

let server: PrivateServer;

afterEach(async () => {
  await endServer(server);
});

interface Sent {
  readonly deviceId: string;
  readonly answer: Answer | null;
}

/** Posts one request after the other, of a device each, until it is told to stop. */
async function postUntil({ post }: WriteApi, stop: AbortSignal, form: 'array' | 'ndjson'): Promise<Sent[]> {
  const sent: Sent[] = [];
  while (!stop.aborted) {
    const deviceId = newDevice();
    const records = recordsFor(deviceId, 20);
    const answer = await (form === 'array' ? post(records) : post(lines(records), { headers: NDJSON }));
    sent.push({ deviceId, answer });
  }
  return sent;
}

describe.each([
  ['memory', { appendonly: 'yes', appendfsync: 'always' }],
  ['fsync', { appendonly: 'yes', appendfsync: 'always' }],
])('under INGEST_DURABILITY=%s', (durability, redisSettings) => {
  it('every record of a 202 is in the stream, though Redis is killed and started again while requests come in', async () => {
    server = await startPrivateRedis(redisSettings);
    const api = await startWriteApi(server.url, { INGEST_DURABILITY: durability, INGEST_APPEND_TIMEOUT_MS: '300' });
    const stop = new AbortController();
    const posting = (['array', 'ndjson', 'array', 'ndjson'] as const).map((form) => postUntil(api, stop.signal, form));
    const accepted = () => api.ingest.metric('odograph_http_records_total', { result: 'accepted' });
    for (let round = 1; round <= 3; round += 1) {
      const before = await accepted();
      await eventually(async () => (await accepted()) > before + 400);
      await server.kill();
      await eventually(async () => (await api.ingest.metric('odograph_http_writes_unconfirmed_total')) > 0);
      server = await server.again();
    }
    const before = await accepted();
    await eventually(async () => (await accepted()) > before);
    stop.abort();
    const sent = (await Promise.all(posting)).flat();
    const redis = lookInto(server.url);
    const statuses = new Set(sent.map(({ answer }) => answer?.status));
    expect([...statuses].toSorted()).toEqual([202, 503]);
    for (const { deviceId, answer } of sent) {
      if (answer?.status === 202) expect(new Set((await recordsOf(redis, deviceId)).map(({ ts }) => ts)).size).toBe(20);
      else expect(answer?.headers.get('retry-after')).toMatch(/^\d+$/);
    }
  }, 120_000);

  it('a frozen Redis is answered with 503 in time, and never with 202', async () => {
    server = await startPrivateRedis(redisSettings);
    const { post, ingest } = await startWriteApi(server.url, { INGEST_DURABILITY: durability, INGEST_APPEND_TIMEOUT_MS: '500' });
    expectStatus(await post(recordsFor(newDevice(), 1)), 202);
    await server.freeze();
    const startedAt = performance.now();
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(recordsFor(newDevice(), 5))));
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    for (const answer of answers) {
      expectStatus(answer, 503);
      expect(answer.body.code).toBe('not_confirmed');
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(answer.headers.get('ratelimit-limit')).toBe('10000');
    }
    expect(await ingest.metric('odograph_http_rate_limit_fallbacks_total')).toBeGreaterThan(0);
    await server.thaw();
    await eventually(async () => (await post(recordsFor(newDevice(), 1))).status === 202);
  });
});

describe('Redis full', () => {
  it('is answered with 503 until there is room, with and without an Idempotency-Key, and a key can be used again then', async () => {
    server = await startPrivateRedis({ maxmemory: '64mb' });
    const { post } = await startWriteApi(server.url, { INGEST_APPEND_TIMEOUT_MS: '300' });
    const redis = lookInto(server.url);
    await redis.config('SET', 'maxmemory', '1');
    const deviceId = newDevice();
    const body = recordsFor(deviceId, 3);
    expectStatus(await post(body), 503);
    const keyed = { headers: { 'idempotency-key': 'k' } };
    expectStatus(await post(body, keyed), 503);
    await redis.config('SET', 'maxmemory', '64mb');
    await eventually(async () => (await post(body, keyed)).status === 202);
    expect(new Set((await recordsOf(redis, deviceId)).map(({ ts }) => ts)).size).toBe(3);
  });
});

describe('back-pressure', () => {
  it('refuses at once what would only wait, and bounds what waits', async () => {
    server = await startPrivateRedis();
    const { post, ingest } = await startWriteApi(server.url, { INGEST_APPEND_QUEUE_BYTES: String(1024 * 1024), INGEST_APPEND_TIMEOUT_MS: '2000' });
    await server.freeze();
    const body = JSON.stringify(recordsFor(newDevice(), 2_000));
    const answers = await Promise.all(Array.from({ length: 12 }, () => post(body)));
    for (const answer of answers) expectStatus(answer, 503);
    expect(new Set(answers.map(({ body: { code } }) => code))).toContain('overloaded');
    expect(await ingest.metric('odograph_ingest_append_queue_bytes')).toBeLessThan(4 * 1024 * 1024);
    expect(await ingest.metric('odograph_http_write_body_bytes')).toBe(0);
    // Once it is known that Redis takes nothing, nobody waits for it.
    await eventually(() => ingest.impediment !== null);
    const startedAt = performance.now();
    expectStatus(await post(recordsFor(newDevice(), 1)), 503);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('of a shutdown: what is under way is confirmed and answered, what comes then is turned away', async () => {
    server = await startPrivateRedis();
    const { post, ingest } = await startWriteApi(server.url);
    const deviceIds = Array.from({ length: 20 }, () => newDevice());
    const posting = deviceIds.map(async (deviceId) => ({ deviceId, answer: await post(recordsFor(deviceId, 50)) }));
    await eventually(async () => (await ingest.metric('odograph_http_records_total', { result: 'accepted' })) > 0);
    await ingest.stop();
    const redis = lookInto(server.url);
    for (const { deviceId, answer } of await Promise.all(posting)) {
      expect([202, 503]).toContain(answer.status);
      if (answer.status === 202) expect(await recordsOf(redis, deviceId)).toHaveLength(50);
    }
    const late = await post(recordsFor(newDevice(), 1));
    expectStatus(late, 503);
    expect(late.body.code).toBe('stopping');
  });
});
