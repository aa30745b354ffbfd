/** What a 202 means under INGEST_DURABILITY fsync and replica, and what is answered while that cannot be had. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { endWithTest, lookInto, recordsOf, redisPair, redisWith } from '../support.ts';
import type { Answer, WriteApi } from './support.ts';
import { NDJSON, expectStatus, lines, newDevice, recordsFor, startWriteApi } from './support.ts';

function expectComeAgain(answer: Answer): void {
  expectStatus(answer, 503);
  expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
}

describe('replica', () => {
  /** The first one after a replica has synchronised may take longer than there is time. */
  async function confirms(post: WriteApi['post']): Promise<void> {
    await eventually(async () => (await post(recordsFor(newDevice(), 1))).status === 202);
  }

  it('202 comes when a replica has the records, as an array and as a stream', async () => {
    const { primary, replica } = await redisPair();
    const { post } = await startWriteApi(primary.url, { INGEST_DURABILITY: 'replica' });
    await confirms(post);
    const [array, stream] = [newDevice(), newDevice()];
    expectStatus(await post(recordsFor(array, 20)), 202);
    expect(await recordsOf(lookInto(replica.url), array)).toHaveLength(20);
    expectStatus(await post(lines(recordsFor(stream, 2_000)), { headers: NDJSON }), 202);
    expect(await recordsOf(lookInto(replica.url), stream)).toHaveLength(2_000);
  });

  it('while the replica hangs there is no 202 but 503, and 202 when it is back, with every record once', async () => {
    const { primary, replica } = await redisPair();
    const { post } = await startWriteApi(primary.url, { INGEST_DURABILITY: 'replica', INGEST_APPEND_TIMEOUT_MS: '500' });
    await confirms(post);
    await replica.freeze();
    const deviceId = newDevice();
    const records = recordsFor(deviceId, 5);
    const keyed = { headers: { 'idempotency-key': 'batch-1' } };
    const answer = await post(records, keyed);
    expectComeAgain(answer);
    expect(answer.body.code).toBe('not_confirmed');
    expectComeAgain(await post(records));
    await replica.thaw();
    await eventually(async () => (await post(records, keyed)).status === 202);
    expect(new Set((await recordsOf(lookInto(replica.url), deviceId)).map(({ ts }) => ts)).size).toBe(5);
  });

  it('with fewer replicas than INGEST_REPLICAS there is no 202', async () => {
    const { primary } = await redisPair();
    const settings = { INGEST_DURABILITY: 'replica', INGEST_REPLICAS: '2', INGEST_APPEND_TIMEOUT_MS: '300' };
    const { post } = await startWriteApi(primary.url, settings);
    for (let request = 0; request < 3; request += 1) expectComeAgain(await post(recordsFor(newDevice(), 3)));
  });
});

describe('fsync', () => {
  it('202 comes when the records are on the disk: they are there after a SIGKILL', async () => {
    const server = await redisWith({ appendonly: 'yes', appendfsync: 'always' });
    const { post } = await startWriteApi(server.url, { INGEST_DURABILITY: 'fsync' });
    const deviceIds = Array.from({ length: 10 }, () => newDevice());
    const answers = await Promise.all(deviceIds.map((deviceId) => post(recordsFor(deviceId, 100))));
    await server.kill();
    for (const answer of answers) expectStatus(answer, 202);
    const again = await server.again();
    endWithTest(again);
    const redis = lookInto(again.url);
    for (const deviceId of deviceIds) expect(await recordsOf(redis, deviceId)).toHaveLength(100);
  });

  it('from a Redis that came back without its append-only file there is no 202', async () => {
    const server = await redisWith({ appendonly: 'yes', appendfsync: 'always' });
    const { post } = await startWriteApi(server.url, { INGEST_DURABILITY: 'fsync', INGEST_APPEND_TIMEOUT_MS: '300' });
    expectStatus(await post(recordsFor(newDevice(), 1)), 202);
    const redis = lookInto(server.url);
    await redis.config('SET', 'appendonly', 'no');
    // A new connection is checked again.
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(async () => (await post(recordsFor(newDevice(), 1))).status === 503);
    expectComeAgain(await post(recordsFor(newDevice(), 1)));
    await redis.config('SET', 'appendonly', 'yes');
    await eventually(async () => (await post(recordsFor(newDevice(), 1))).status === 202);
  });
});
