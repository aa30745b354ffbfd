/** One bad record harms no other: what cannot be read or stored is a dead letter, its neighbours are stored. */
import { describe, expect, test } from 'vitest';
import { encodeRecord } from '../../src/shared/contracts/stored-record.ts';
import { entryFields } from '../../src/shared/contracts/telemetry-stream.ts';
import type { TelemetryRecord } from '../../src/shared/model.ts';
import type { Redis } from '../../src/shared/redis.ts';
import {
  STORAGES, allStored, append, deadLetters, frame, metric, openSite, record, records, startCore, streamOf, value,
  withAttributes,
} from './support.ts';

const NOW = Date.UTC(2026, 10, 20, 12);

/** Appends an entry of records given as JSON. */
async function appendEncoded(redis: Redis, deviceId: string, encoded: readonly string[]): Promise<string> {
  const fields = entryFields({ deviceId, protocol: 'teltonika', receivedAt: NOW }, encoded);
  return String(await redis.xadd(streamOf(deviceId), '*', ...fields));
}

const NUL = '{"name":"a\\u0000b"}';

const POISONS: readonly (readonly [what: string, encoded: (one: TelemetryRecord) => string, code: string])[] = [
  ['a NUL in a text', (one) => withAttributes(one, NUL), '22P05'],
  ['half of a surrogate pair', (one) => withAttributes(one, '{"name":"\\ud83d"}'), '22P02'],
  ['attributes that are no JSON', (one) => withAttributes(one, '{"name":}'), '22P02'],
];

describe.each(STORAGES)('into %s', (storage) => {
  test.each(POISONS)('%s in the middle of a hundred records is a dead letter, 99 are stored', async (_what, poison, code) => {
    const site = await openSite();
    const running = await startCore(site, { POSITIONS_STORAGE: storage });
    const hundred = records(100, NOW);
    const encoded = hundred.map((one, index) => (index === 50 ? poison(one) : encodeRecord(one)));
    const id = await appendEncoded(site.redis, 'a', encoded);
    await append(site.redis, frame('b', records(5, NOW)));
    await allStored(site, 104);
    const missing = 'select array_agg(n) from generate_series(0, 99) n where to_timestamp($1 + n) not in (select ts from positions)';
    expect(await value(site.pool, missing, [NOW / 1_000])).toEqual([50]);
    const [letter, ...others] = await deadLetters(site.redis);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      reason: 'database_refused', field: 'attributes', deviceId: 'a', protocol: 'teltonika', at: NOW,
      origin: `${streamOf('a')}/${id}`,
    });
    expect(letter?.message).toMatch(new RegExp(`^${code}: `));
    expect(letter?.payload).toBe(encoded[50]);
    expect(await metric(running.registry, 'processor_position_writes_total', { status: 'failed' })).toBe(1);
    expect(await metric(running.registry, 'processor_position_writes_total', { status: 'inserted' })).toBe(104);
    expect(await metric(running.registry, 'odograph_core_write_retries_total')).toBe(0);
  });

  test('a poison record among records that are there already is a dead letter all the same', async () => {
    const site = await openSite();
    await startCore(site, { POSITIONS_STORAGE: storage });
    await append(site.redis, frame('a', records(10, NOW)));
    await allStored(site, 10);
    const poison = withAttributes(record(NOW + 500), NUL);
    await appendEncoded(site.redis, 'a', [...records(20, NOW).map(encodeRecord), poison]);
    await allStored(site, 20);
    expect(await deadLetters(site.redis)).toMatchObject([{ reason: 'database_refused', field: 'attributes' }]);
    expect(await value(site.pool, 'select records from device_state')).toBe(20);
  });
});

test('a batch of nothing but poison stores nothing and loses nothing', async () => {
  const site = await openSite();
  const running = await startCore(site);
  const poison = records(16, NOW).map((one) => withAttributes(one, NUL));
  await appendEncoded(site.redis, 'a', poison);
  await allStored(site, 0);
  const letters = await deadLetters(site.redis);
  expect(letters.map(({ payload }) => payload)).toEqual(poison);
  expect(await metric(running.registry, 'processor_acks_total')).toBe(1);
});

test('a time that PostgreSQL cannot hold is a dead letter that names the column', async () => {
  const site = await openSite();
  await startCore(site);
  await append(site.redis, frame('a', [record(-8.64e15), record(NOW)]));
  await allStored(site, 1);
  expect(await deadLetters(site.redis)).toMatchObject([{ reason: 'database_refused', field: 'ts' }]);
});

test('an entry that is not what the contract says is a dead letter with all of its fields', async () => {
  const site = await openSite();
  const running = await startCore(site);
  const raw = Buffer.from([0xff, 0x00, 0xfe]);
  const stream = streamOf('a');
  const id = String(await site.redis.xadd(stream, '*', 'version', '7', 'device', 'a', 'bytes', raw));
  await append(site.redis, frame('a', [record(NOW)]));
  await allStored(site, 1);
  const [letter] = await deadLetters(site.redis);
  expect(letter).toMatchObject({ reason: 'malformed_entry', field: 'version', deviceId: 'a', origin: `${stream}/${id}` });
  expect(JSON.parse(letter?.payload ?? '')).toEqual({ version: '7', device: 'a', bytes: { __buffer_b64: raw.toString('base64') } });
  expect(await metric(running.registry, 'processor_decode_errors_total')).toBe(1);
});

test('a record that is not what the contract says is a dead letter, its neighbours are stored', async () => {
  const site = await openSite();
  const running = await startCore(site);
  const bad = encodeRecord(record(NOW + 1)).replace('52.5', '214');
  const id = await appendEncoded(site.redis, 'a', [encodeRecord(record(NOW)), bad, encodeRecord(record(NOW + 2))]);
  await allStored(site, 2);
  expect(await deadLetters(site.redis)).toMatchObject([{
    reason: 'malformed_entry', field: 'records[1].latitude', deviceId: 'a', origin: `${streamOf('a')}/${id}`, payload: bad, at: NOW,
  }]);
  expect(await metric(running.registry, 'processor_decode_errors_total')).toBe(1);
  expect(await metric(running.registry, 'processor_consumer_records_total')).toBe(2);
});

test('a stream of nothing but malformed entries does not fill the memory', async () => {
  const site = await openSite();
  const pipeline = site.redis.pipeline();
  for (let n = 0; n < 1_000; n += 1) pipeline.xadd(streamOf('a'), '*', 'version', '7');
  await pipeline.exec();
  const running = await startCore(site, { PROCESSOR_QUEUE_RECORDS: '50', PROCESSOR_READ_COUNT: '20', PROCESSOR_BATCH_RECORDS: '10' });
  await allStored(site, 0);
  expect(await deadLetters(site.redis)).toHaveLength(1_000);
  expect(await metric(running.registry, 'processor_acks_total')).toBe(1_000);
});
