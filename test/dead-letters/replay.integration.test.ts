/** Replay from end to end: frames that an older decoder refused come into the database, once, whatever else goes on. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeAvlFrame } from '../../src/protocols/teltonika/encode.ts';
import { teltonika } from '../../src/protocols/teltonika/index.ts';
import { DEAD_LETTER_STREAM } from '../../src/shared/contracts/dead-letter-stream.ts';
import { encodeRecord } from '../../src/shared/contracts/stored-record.ts';
import type { Redis } from '../../src/shared/redis.ts';
import type { Site } from '../core/support.ts';
import { allStored, countPositions, deadLetters, openSite, startCore, value, withAttributes } from '../core/support.ts';
import { startIngest } from '../ingest/support.ts';
import { loggedIn } from '../ingest/tracker.ts';
import { avlRecord, frameOf } from '../protocols/teltonika/frames.ts';
import { eventually } from '../support/eventually.ts';
import { startPrivateRedis } from '../support/redis.ts';
import {
  countEntries, createGroups, dlq, dlqReport, IMEI, letter, letterIds, olderDecoder, publish, record, takeIn,
  writeLetters,
} from './support.ts';

const TS = 1_690_000_000_000;
const SESSION = { deviceId: IMEI };
/** Of these the older decoder refuses the one with a signal strength (element 21, `rssi`). */
const RECORDS_OF_A_FRAME = 3;

/** Three records, the middle one with an element that the older decoder takes for damaged. */
function frameAt(ts: number): Buffer {
  return encodeAvlFrame([avlRecord([], { ts }), avlRecord([[21, 1, 3]], { ts: ts + 1_000 }), avlRecord([], { ts: ts + 2_000 })], '8');
}

/** What ingest with the older decoder leaves of so many frames: entries of two records, and a letter for the third. */
async function takeInWithOlderDecoder(redis: Redis, frames: number): Promise<void> {
  const decode = olderDecoder('rssi');
  for (let n = 0; n < frames; n += 1) {
    const frame = frameAt(TS + n * 10_000);
    await publish(redis, takeIn(frame, SESSION, (receivedAt) => decode(SESSION, frame, receivedAt)));
  }
}

/** Nothing is pending, and there are these rows, each once. */
async function expectStored(site: Site, frames: number): Promise<void> {
  await allStored(site, frames * RECORDS_OF_A_FRAME);
  expect(await value(site.pool, "select count(*) from positions where attributes ? 'rssi'")).toBe(frames);
}

describe('frames that an older decoder refused', () => {
  it('come into the database, once, with the time at which they came', async () => {
    const site = await openSite();
    await startCore(site);
    await takeInWithOlderDecoder(site.redis, 2);
    await allStored(site, 4);
    const letters = await deadLetters(site.redis);
    expect(letters).toMatchObject([{ reason: 'bad_field', raw: frameAt(TS) }, { raw: frameAt(TS + 10_000) }]);

    const report = await dlqReport(site.redisUrl, ['replay', '--reason', 'bad_field']);
    expect(report).toEqual({
      code: 0, dryRun: false, read: 2, missing: [], replayed: 2, records: 6, remaining: 0, gone: 0, left: {},
    });
    await expectStored(site, 2);
    expect(await deadLetters(site.redis)).toEqual([]);
    const receivedAt = await value(site.pool, "select extract(epoch from received_at) * 1000 from positions where attributes ? 'rssi' order by ts limit 1");
    expect(Number(receivedAt)).toBe(letters[0]!.at);

    expect(await dlqReport(site.redisUrl, ['replay'])).toMatchObject({ code: 0, read: 0, replayed: 0, records: 0 });
    await expectStored(site, 2);
  });

  it('are taken once by two replays at the same time', async () => {
    const server = await startPrivateRedis();
    onTestFinished(() => server.stop());
    const site = await openSite({ redisUrl: server.url });
    await startCore(site);
    await takeInWithOlderDecoder(site.redis, 150);
    await allStored(site, 300);
    // Both have read the same letters, and wait to replace them.
    await site.redis.call('CLIENT', 'PAUSE', 30_000, 'WRITE');
    const runs = Promise.all([dlqReport(site.redisUrl, ['replay']), dlqReport(site.redisUrl, ['replay'])]);
    await eventually(async () => {
      const clients = String(await site.redis.client('LIST')).split('\n');
      expect(clients.filter((line) => line.includes('name=odograph/dead-letters') && line.includes('cmd=eval'))).toHaveLength(2);
    });
    await site.redis.call('CLIENT', 'UNPAUSE');
    const reports = await runs;
    const sum = (name: string): number => reports.reduce((total, report) => total + Number(report[name]), 0);
    expect({ replayed: sum('replayed'), records: sum('records') }).toEqual({ replayed: 150, records: 450 });
    expect(sum('gone')).toBeGreaterThan(0);
    await expectStored(site, 150);
    expect(await letterIds(site.redis)).toEqual([]);
    // Each frame came in once, and was replayed once.
    expect(await countEntries(site.redis)).toBe(300);
  });

  it('are replayed while records and letters come in, and what comes later waits for the next run', async () => {
    const site = await openSite();
    await startCore(site);
    await takeInWithOlderDecoder(site.redis, 50);
    let sent = 50;
    let isOver = false;
    const run = dlqReport(site.redisUrl, ['replay']).finally(() => { isOver = true; });
    while (!isOver) {
      const frame = frameAt(TS + sent * 10_000);
      await publish(site.redis, takeIn(frame, SESSION, (at) => olderDecoder('rssi')(SESSION, frame, at)));
      sent += 1;
    }
    const replayed = Number((await run)['replayed']);
    expect(replayed).toBeGreaterThanOrEqual(50);
    expect(await letterIds(site.redis)).toHaveLength(sent - replayed);
    expect(await dlqReport(site.redisUrl, ['replay'])).toMatchObject({ replayed: sent - replayed, left: {} });
    await expectStored(site, sent);
  });

  it('are told by a dry run, which changes nothing', async () => {
    const site = await openSite();
    await createGroups(site.redis);
    await takeInWithOlderDecoder(site.redis, 3);
    const before = await site.redis.xrangeBuffer(DEAD_LETTER_STREAM, '-', '+');
    expect(await dlqReport(site.redisUrl, ['replay', '--dry-run'])).toMatchObject({ code: 0, dryRun: true, replayed: 3, records: 9 });
    const { stdout } = await dlq(site.redisUrl, ['replay', '--dry-run', '--limit', '2']);
    expect(stdout).toBe('2 letters would be replayed: 6 records to the stream\n');
    expect(await site.redis.xrangeBuffer(DEAD_LETTER_STREAM, '-', '+')).toEqual(before);
    expect(await countEntries(site.redis)).toBe(3);
  });
});

describe('letters of which nothing comes', () => {
  it('stay as they are, are counted by reason, and end the run with 1', async () => {
    const site = await openSite();
    const ingest = await startIngest(site.redisUrl, { STREAM_PARTITIONS: '2' });
    await createGroups(site.redis);
    const tracker = await loggedIn(ingest.port(), IMEI);
    tracker.send(frameOf(Buffer.from('99030203', 'hex')), encodeAvlFrame([avlRecord([], { ts: Date.UTC(2099, 0, 1) })], '8'));
    await tracker.acknowledgement();
    await tracker.acknowledgement();
    await site.redis.xadd(DEAD_LETTER_STREAM, '*', 'version', '7');
    const before = await site.redis.xrangeBuffer(DEAD_LETTER_STREAM, '-', '+');
    const { code, stdout, stderr } = await dlq(site.redisUrl, ['replay']);
    expect(stdout).toBe('0 letters replayed: 0 records to the stream\n3 letters left: unknown_codec 1, clock_ahead 1, unreadable 1\n');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(await site.redis.xrangeBuffer(DEAD_LETTER_STREAM, '-', '+')).toEqual(before);
    expect(await countEntries(site.redis)).toBe(0);
  });

  it('as those of records that are too far ahead, come when MAX_FUTURE_MS allows it', async () => {
    const site = await openSite();
    await createGroups(site.redis);
    await writeLetters(site.redis, [letter({ reason: 'clock_ahead', payload: encodeRecord(record(Date.now() + 3_600_000)) })]);
    const args = ['replay', '--reason', 'clock_ahead'];
    expect(await dlqReport(site.redisUrl, args, { MAX_FUTURE_MS: '60000' })).toMatchObject({ code: 1, left: { clock_ahead: 1 } });
    expect(await dlqReport(site.redisUrl, args)).toMatchObject({ code: 0, replayed: 1 });
    expect(await countEntries(site.redis)).toBe(1);
  });

  it('of the database come back as new letters when it refuses them again', async () => {
    const site = await openSite();
    await startCore(site);
    const poison = withAttributes(record(TS), '{"name":"a\\u0000b"}');
    const [id] = await writeLetters(site.redis, [
      letter({ reason: 'database_refused', payload: poison }), letter({ reason: 'database_refused', payload: encodeRecord(record(TS)) }),
    ]);
    expect(await dlqReport(site.redisUrl, ['replay'])).toMatchObject({ replayed: 2, records: 2 });
    await allStored(site, 1);
    expect(await deadLetters(site.redis)).toMatchObject([{ reason: 'database_refused', payload: poison, at: letter().at }]);
    expect(await letterIds(site.redis)).not.toContain(id);
  });
});

describe('a replay', () => {
  it('of ids takes these and no others, and says which are not there', async () => {
    const site = await openSite();
    await createGroups(site.redis);
    await takeInWithOlderDecoder(site.redis, 3);
    const [first, second, third] = await letterIds(site.redis);
    const report = await dlqReport(site.redisUrl, ['replay', second!, '1-1']);
    expect(report).toMatchObject({ code: 1, replayed: 1, missing: ['1-1'] });
    expect(await letterIds(site.redis)).toEqual([first, third]);
  });

  it('leaves every letter, whole, in a Redis that is full, and takes them when there is room', async () => {
    const server = await startPrivateRedis({ maxmemory: '64mb' });
    onTestFinished(() => server.stop());
    const site = await openSite({ redisUrl: server.url });
    await startCore(site);
    await takeInWithOlderDecoder(site.redis, 5);
    await allStored(site, 10);
    const before = await site.redis.xrangeBuffer(DEAD_LETTER_STREAM, '-', '+');
    await site.redis.config('SET', 'maxmemory', '1');
    const { code, stdout, stderr } = await dlq(site.redisUrl, ['replay']);
    expect(stderr).toMatch(/OOM/);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '0 letters replayed: 0 records to the stream\n' });
    expect(await site.redis.xrangeBuffer(DEAD_LETTER_STREAM, '-', '+')).toEqual(before);
    expect(await countPositions(site.pool)).toBe(10);
    await site.redis.config('SET', 'maxmemory', '64mb');
    expect(await dlqReport(site.redisUrl, ['replay'])).toMatchObject({ code: 0, replayed: 5 });
    await expectStored(site, 5);
  });

  it('refuses to put records where nobody reads them', async () => {
    const site = await openSite();
    await createGroups(site.redis);
    await takeInWithOlderDecoder(site.redis, 1);
    const before = await countEntries(site.redis);
    const { code, stderr } = await dlq(site.redisUrl, ['replay'], { STREAM_PARTITIONS: '3' });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^STREAM_PARTITIONS: expected the number that the system has, got 3, but core has never read telemetry:\{2\}/);
    expect(await letterIds(site.redis)).toHaveLength(1);
    expect(await countEntries(site.redis)).toBe(before);
  });

  it('of what was just taken in changes no row', async () => {
    const site = await openSite();
    await startCore(site);
    const frame = frameAt(TS);
    await publish(site.redis, takeIn(frame, SESSION, (at) => teltonika.handle(SESSION, frame, at)));
    await allStored(site, RECORDS_OF_A_FRAME);
    await writeLetters(site.redis, [letter({ reason: 'internal_error', raw: frame, session: JSON.stringify(SESSION) })]);
    expect(await dlqReport(site.redisUrl, ['replay'])).toMatchObject({ replayed: 1, records: 3 });
    await expectStored(site, 1);
    expect(await value(site.pool, 'select records from device_state')).toBe(RECORDS_OF_A_FRAME);
  });
});
