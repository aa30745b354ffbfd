/** The dead letters are measured, and kept in bounds: the oldest go first, and never in silence. */
import { describe, expect, test } from 'vitest';
import { boundDeadLetters, measureDeadLetters } from '../../src/core/dead-letter-upkeep.ts';
import { DEAD_LETTER_STREAM, encodeDeadLetter } from '../../src/shared/contracts/dead-letter-stream.ts';
import type { Redis } from '../../src/shared/redis.ts';
import { eventually } from '../support/eventually.ts';
import { createRedis } from '../support/redis.ts';
import { deadLetters, metric, openRedis, openSite, startCore } from './support.ts';

const KIB = 1024;
const BOUND = 256 * KIB;

async function emptyRedis(): Promise<Redis> {
  return openRedis((await createRedis()).url);
}

/** Writes letters of so many bytes, which are `ageMs` old and a millisecond apart. @returns their ids */
async function writeOld(redis: Redis, count: number, bytes: number, ageMs: number): Promise<string[]> {
  const [seconds] = await redis.time();
  const from = Number(seconds) * 1_000 - ageMs;
  const pipeline = redis.pipeline();
  for (let n = 0; n < count; n += 1) {
    const fields = encodeDeadLetter({
      reason: 'bad_field', message: 'm', field: 'f', deviceId: 'a', protocol: 'teltonika', at: from + n,
      raw: Buffer.alloc(bytes, n), session: null, payload: null, origin: null,
    });
    pipeline.call('XADD', DEAD_LETTER_STREAM, `${from + n}-0`, ...fields);
  }
  const results = (await pipeline.exec()) ?? [];
  return results.map(([, id]) => String(id));
}

async function idsOf(redis: Redis): Promise<string[]> {
  return (await redis.xrange(DEAD_LETTER_STREAM, '-', '+')).map(([id]) => id);
}

describe('measuring', () => {
  test('without letters all is 0', async () => {
    expect(await measureDeadLetters(await emptyRedis())).toEqual({ entries: 0, bytes: 0, oldestAgeMs: 0 });
  });

  test('tells number, memory and the age of the oldest', async () => {
    const redis = await emptyRedis();
    await writeOld(redis, 100, 10 * KIB, 60_000);
    const { entries, bytes, oldestAgeMs } = await measureDeadLetters(redis);
    expect(entries).toBe(100);
    expect(bytes).toBeGreaterThan(1_000 * KIB);
    expect(bytes).toBeLessThan(1_500 * KIB);
    expect(oldestAgeMs).toBeGreaterThanOrEqual(60_000);
    expect(oldestAgeMs).toBeLessThan(120_000);
  });

  test('tells 0 again when the letters are gone', async () => {
    const redis = await emptyRedis();
    await redis.xdel(DEAD_LETTER_STREAM, ...(await writeOld(redis, 10, KIB, 60_000)));
    expect(await measureDeadLetters(redis)).toMatchObject({ entries: 0, oldestAgeMs: 0 });
  });
});

describe('the bound', () => {
  test.each([
    ['few large letters', 40, 16 * KIB], ['many small ones', 20_000, 10], ['one that is larger than the bound', 1, 300 * KIB],
  ])('over it the oldest are dropped, until there is some room: %s', async (_what, count, bytes) => {
    const redis = await emptyRedis();
    const ids = await writeOld(redis, count, bytes, 600_000);
    const dropped = await boundDeadLetters(redis, BOUND);
    const left = await idsOf(redis);
    expect(dropped?.letters).toBe(count - left.length);
    expect(left).toEqual(ids.slice(count - left.length));
    expect(dropped?.fromMs).toBe(Number(ids[0]!.split('-')[0]));
    const after = await measureDeadLetters(redis);
    expect(after.bytes).toBeLessThanOrEqual(BOUND * 0.9);
    // No more than needed: room for two more letters at most, beside a node of the stream.
    if (count > 1) expect(after.bytes).toBeGreaterThan(BOUND * 0.9 - 2 * bytes - 16 * KIB);
    expect(await boundDeadLetters(redis, BOUND)).toBeNull();
    expect(await idsOf(redis)).toEqual(left);
  });

  test('up to it nothing is dropped', async () => {
    const redis = await emptyRedis();
    expect(await boundDeadLetters(redis, BOUND)).toBeNull();
    const ids = await writeOld(redis, 10, 16 * KIB, 0);
    expect(await boundDeadLetters(redis, BOUND)).toBeNull();
    expect(await idsOf(redis)).toEqual(ids);
  });
});

test('a processor drops letters over DEAD_LETTER_MAX_BYTES, counts them, and says which as an error', async () => {
  const site = await openSite();
  const ids = await writeOld(site.redis, 40, 16 * KIB, 600_000);
  const running = await startCore(site, { DEAD_LETTER_MAX_BYTES: String(BOUND) });
  await eventually(async () => {
    expect(await metric(running.registry, 'odograph_core_dead_letter_entries')).toBeGreaterThan(0);
  });
  const kept = await deadLetters(site.redis);
  const dropped = ids.length - kept.length;
  expect(await metric(running.registry, 'odograph_core_dead_letters_dropped_total')).toBe(dropped);
  expect(await metric(running.registry, 'odograph_core_dead_letter_entries')).toBe(kept.length);
  expect(await metric(running.registry, 'odograph_core_dead_letter_max_bytes')).toBe(BOUND);
  expect(await metric(running.registry, 'odograph_core_dead_letter_bytes')).toBeLessThan(BOUND);
  expect(await metric(running.registry, 'odograph_core_dead_letter_oldest_age_seconds')).toBeGreaterThan(599);
  const lines = running.lines.filter(({ msg }) => msg.startsWith('dropped the oldest dead letters'));
  const time = (id: string | undefined): string => new Date(Number(id?.split('-')[0])).toISOString();
  expect(lines).toMatchObject([{ level: 50, letters: dropped, from: time(ids[0]), to: time(ids[dropped]) }]);
});
