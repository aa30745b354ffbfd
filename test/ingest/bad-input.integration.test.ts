/** What is not what a tracker of the protocol sends: it ends its own connection and nothing else. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeLogin, PING } from '../../src/protocols/teltonika/encode.ts';
import { encodeLogin as encodeGt06Login } from '../../src/protocols/gt06/encode.ts';
import { buildFrame } from '../../src/protocols/gt06/frame.ts';
import { createRedis } from '../support/redis.ts';
import { eventually } from '../support/eventually.ts';
import type { TestIngest } from './support.ts';
import { deadLettersIn, entriesIn, lookInto, startIngest } from './support.ts';
import type { Tracker } from './tracker.ts';
import { connectTracker, dataFrame, loggedIn, newImei } from './tracker.ts';

const REJECTIONS = 'odograph_ingest_rejections_total';

let redisUrl: string;
let ingest: TestIngest;
let healthy: Tracker;

beforeAll(async () => {
  redisUrl = (await createRedis()).url;
});

beforeEach(async () => {
  const limits = { INGEST_LOGIN_TIMEOUT_MS: '1000', INGEST_FRAME_TIMEOUT_MS: '300', INGEST_IDLE_TIMEOUT_MS: '60000' };
  ingest = await startIngest(redisUrl, { INGEST_LISTENERS: 'teltonika:0,gt06:0', ...limits });
  healthy = await loggedIn(ingest.port(), newImei());
});

/** A tracker on the same listener is served as if nothing had happened. */
async function othersAreServed(): Promise<void> {
  healthy.send(dataFrame(2));
  expect(await healthy.acknowledgement()).toBe(2);
}

async function rejected(reason: string, times = 1): Promise<void> {
  await eventually(async () => { expect(await ingest.metric(REJECTIONS, { reason })).toBe(times); });
  expect(await ingest.metric(REJECTIONS)).toBe(times);
  expect(ingest.warnings()).toHaveLength(1);
  expect(ingest.warnings(reason)).toHaveLength(1);
}

const TWO_TO_THE_31 = Buffer.from('0000000080000000', 'hex');
const HTTP = Buffer.from('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n');

describe('closes without an answer, counts and logs once', () => {
  const cases: readonly (readonly [what: string, reason: string, bytes: Buffer])[] = [
    ['garbage', 'bad_preamble', Buffer.alloc(4_096, 0x5a)],
    ['an HTTP request', 'bad_preamble', HTTP],
    ['a TLS client hello', 'bad_preamble', Buffer.from('16030100c8010000c40303', 'hex')],
    ['a login of 21 bytes', 'length_out_of_range', Buffer.from('0015', 'hex')],
    ['an IMEI with a letter', 'invalid_imei', encodeLogin('35630704244101X')],
    ['an IMEI of 9 digits', 'invalid_imei', encodeLogin('356307042')],
    ['a length field of 2^31', 'length_out_of_range', TWO_TO_THE_31],
    ['data before the login', 'not_logged_in', dataFrame()],
    ['half a login and silence', 'frame_timeout', encodeLogin('356307042441013').subarray(0, 9)],
    ['a login of 0 bytes and silence', 'frame_timeout', Buffer.from('0000', 'hex')],
    ['only pings', 'login_timeout', Buffer.concat([PING, PING])],
    ['a login of 65,535 bytes', 'bad_preamble', Buffer.concat([Buffer.from('ffff', 'hex'), Buffer.alloc(65_535, 0x33)])],
  ];

  it.each(cases)('teltonika: %s (%s)', async (_what, reason, bytes) => {
    const stranger = await connectTracker(ingest.port());
    stranger.send(bytes);
    await stranger.closed();
    expect(stranger.received).toHaveLength(0);
    await rejected(reason);
    await othersAreServed();
  });

  const gt06: readonly (readonly [what: string, reason: string, bytes: Buffer])[] = [
    ['garbage', 'bad_preamble', Buffer.alloc(4_096, 0x5a)],
    ['an HTTP request', 'bad_preamble', HTTP],
    ['a length that leads nowhere', 'missing_delimiter', Buffer.from('787805010000000000000000', 'hex')],
    ['a terminal id that is no IMEI', 'invalid_imei', gt06LoginWithId('abcdefabcdefabcd')],
    ['half a login and silence', 'frame_timeout', encodeGt06Login({ imei: '356307042441013' }, 1).subarray(0, 7)],
  ];

  it.each(gt06)('gt06: %s (%s)', async (_what, reason, bytes) => {
    const stranger = await connectTracker(ingest.port('tcp', 'gt06'));
    stranger.send(bytes);
    await stranger.closed();
    expect(stranger.received).toHaveLength(0);
    await rejected(reason);
    await othersAreServed();
  });
});

describe('after the login', () => {
  it('closes a connection that garbage follows, and takes nothing of it', async () => {
    const tracker = await loggedIn(ingest.port(), newImei());
    tracker.send(dataFrame(3), Buffer.from('garbage'), dataFrame(1));
    expect(await tracker.acknowledgement()).toBe(3);
    await tracker.closed();
    expect(tracker.received).toHaveLength(5);
    await rejected('bad_preamble');
    await othersAreServed();
  });

  it('closes half a frame and silence', async () => {
    const tracker = await loggedIn(ingest.port(), newImei());
    tracker.send(dataFrame().subarray(0, 30));
    await tracker.closed();
    expect(tracker.received).toHaveLength(1);
    await rejected('frame_timeout');
    await othersAreServed();
  });

  it('closes a frame that comes a byte at a time for ever', async () => {
    const tracker = await loggedIn(ingest.port(), newImei());
    const frame = dataFrame(20);
    let sent = 0;
    const drip = setInterval(() => { tracker.send(frame.subarray(sent, (sent += 1))); }, 25);
    await tracker.closed();
    clearInterval(drip);
    expect(sent).toBeGreaterThan(5);
    expect(sent).toBeLessThan(frame.length);
    await rejected('frame_timeout');
    await othersAreServed();
  });

  it('does not acknowledge a checksum error, logs it once, and goes on', async () => {
    const tracker = await loggedIn(ingest.port(), newImei());
    const damaged = dataFrame(4);
    damaged[20]! ^= 1;
    for (let time = 0; time < 50; time += 1) tracker.send(damaged);
    tracker.send(dataFrame(1));
    expect(await tracker.acknowledgement()).toBe(1);
    expect(tracker.received).toHaveLength(5);
    await rejected('checksum_mismatch', 50);
    await othersAreServed();
    const redis = lookInto(redisUrl);
    expect(await deadLettersIn(redis)).toEqual([]);
    expect((await entriesIn(redis)).filter(({ records }) => records.length === 4)).toEqual([]);
  });
});

describe('memory and log stay bounded', () => {
  it('reads no more of a flood of garbage than came before the close was noticed', async () => {
    const stranger = await connectTracker(ingest.port());
    const megabyte = Buffer.alloc(1024 * 1024, 0x5a);
    for (let sent = 0; sent < 32; sent += 1) stranger.send(megabyte);
    await stranger.closed();
    await rejected('bad_preamble');
    expect(await ingest.metric('odograph_ingest_bytes_total')).toBeLessThan(200_000);
    await othersAreServed();
  });

  it('takes memory for what came of a frame, not for what its length claims', async () => {
    const trackers = await Promise.all(Array.from({ length: 100 }, () => connectTracker(ingest.port())));
    const before = process.memoryUsage().arrayBuffers;
    const header = Buffer.from('000000000000fff00801', 'hex');
    for (const tracker of trackers) tracker.send(header);
    const expected = await ingest.metric('odograph_ingest_bytes_total') + trackers.length * header.length;
    await eventually(async () => { expect(await ingest.metric('odograph_ingest_bytes_total')).toBe(expected); });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 16 * 1024);
    await Promise.all(trackers.map((tracker) => tracker.closed()));
  });

  it('logs a few lines of a storm of garbage connections, and counts them all', async () => {
    for (let round = 0; round < 10; round += 1) {
      const strangers = await Promise.all(Array.from({ length: 30 }, () => connectTracker(ingest.port())));
      for (const stranger of strangers) stranger.send(HTTP);
      await Promise.all(strangers.map((stranger) => stranger.closed()));
    }
    await eventually(async () => { expect(await ingest.metric(REJECTIONS, { reason: 'bad_preamble' })).toBe(300); });
    expect(ingest.warnings('bad_preamble').length).toBeLessThan(30);
    await othersAreServed();
  });
});

function gt06LoginWithId(hex: string): Buffer {
  return buildFrame(0x01, Buffer.from(hex, 'hex'), 1);
}
