/** Limits of connections, frames and silence. */
import { beforeEach, describe, expect, it } from 'vitest';
import { encodeLogin as encodeGt06Login } from '../../src/protocols/gt06/encode.ts';
import { PING } from '../../src/protocols/teltonika/encode.ts';
import { createRedis } from '../support/redis.ts';
import { eventually } from '../support/eventually.ts';
import { startIngest } from './support.ts';
import { connectTracker, dataFrame, loggedIn, newImei } from './tracker.ts';

const REJECTIONS = 'odograph_ingest_rejections_total';
const DISCONNECTIONS = 'odograph_ingest_disconnections_total';
const CONNECTIONS = 'odograph_ingest_connections';

let redisUrl: string;

beforeEach(async () => {
  redisUrl = (await createRedis()).url;
});

describe('connections', () => {
  it.each(['INGEST_MAX_CONNECTIONS_PER_ADDRESS', 'INGEST_MAX_CONNECTIONS'])('above %s are closed, and taken again when there is room', async (name) => {
    const ingest = await startIngest(redisUrl, { [name]: '3', INGEST_LISTENERS: 'teltonika:0,gt06:0' });
    const first = await loggedIn(ingest.port(), newImei());
    await loggedIn(ingest.port(), newImei());
    await connectTracker(ingest.port('tcp', 'gt06'));
    await eventually(async () => { expect(await ingest.metric(CONNECTIONS)).toBe(3); });
    const fourth = await connectTracker(ingest.port());
    await fourth.closed();
    expect(fourth.received).toHaveLength(0);
    expect(await ingest.metric(REJECTIONS, { reason: 'too_many_connections' })).toBe(1);
    expect(ingest.warnings('too_many_connections')[0]!.msg).toContain(name);
    first.send(dataFrame(1));
    expect(await first.acknowledgement()).toBe(1);
    first.socket.destroy();
    await eventually(async () => { expect(await ingest.metric(CONNECTIONS)).toBe(2); });
    await loggedIn(ingest.port(), newImei());
  });

  it('of two addresses are counted apart', async () => {
    const ingest = await startIngest(redisUrl, { INGEST_MAX_CONNECTIONS_PER_ADDRESS: '1', INGEST_HOST: '0.0.0.0' });
    await loggedIn(ingest.port(), newImei());
    const refused = await connectTracker(ingest.port());
    await refused.closed();
    const neighbour = await connectTracker(ingest.port(), '127.0.0.2');
    await neighbour.logIn(newImei());
  });

  it('that are taken and given up a thousand times leave nothing behind', async () => {
    const ingest = await startIngest(redisUrl, { INGEST_MAX_CONNECTIONS: '60' });
    for (let round = 0; round < 20; round += 1) {
      const trackers = await Promise.all(Array.from({ length: 50 }, () => connectTracker(ingest.port())));
      for (const tracker of trackers) tracker.socket.resetAndDestroy();
      await eventually(async () => { expect(await ingest.metric(CONNECTIONS)).toBe(0); });
    }
    expect(await ingest.metric(DISCONNECTIONS)).toBe(1_000);
    expect(await ingest.metric(REJECTIONS)).toBe(0);
    await loggedIn(ingest.port(), newImei());
  });
});

describe('a frame', () => {
  it('longer than INGEST_MAX_FRAME_BYTES closes the connection at its header', async () => {
    const ingest = await startIngest(redisUrl, { INGEST_MAX_FRAME_BYTES: '1280' });
    const tracker = await loggedIn(ingest.port(), newImei());
    tracker.send(dataFrame(40));
    expect(await tracker.acknowledgement()).toBe(40);
    tracker.send(dataFrame(50).subarray(0, 8));
    await tracker.closed();
    expect(await ingest.metric(REJECTIONS, { reason: 'length_out_of_range' })).toBe(1);
    expect(await ingest.metric('odograph_ingest_frames_total', { result: 'broken' })).toBe(1);
  });
});

describe('silence', () => {
  it('before the login ends after INGEST_LOGIN_TIMEOUT_MS', async () => {
    const ingest = await startIngest(redisUrl, { INGEST_LOGIN_TIMEOUT_MS: '200' });
    const tracker = await connectTracker(ingest.port());
    await tracker.closed();
    expect(await ingest.metric(REJECTIONS, { reason: 'login_timeout' })).toBe(1);
    await eventually(async () => { expect(await ingest.metric(DISCONNECTIONS, { reason: 'login_timeout' })).toBe(1); });
  });

  it('after the login ends after INGEST_IDLE_TIMEOUT_MS, which is no rejection; pings are no silence', async () => {
    const ingest = await startIngest(redisUrl, { INGEST_IDLE_TIMEOUT_MS: '500', INGEST_LOGIN_TIMEOUT_MS: '60000' });
    const pinging = await loggedIn(ingest.port(), newImei());
    const pings = setInterval(() => { pinging.send(PING); }, 50);
    const silent = await loggedIn(ingest.port(), newImei());
    await silent.closed();
    await eventually(async () => { expect(await ingest.metric(DISCONNECTIONS, { reason: 'idle_timeout' })).toBe(1); });
    expect(await ingest.metric(REJECTIONS)).toBe(0);
    pinging.send(dataFrame(1));
    expect(await pinging.acknowledgement()).toBe(1);
    clearInterval(pings);
    await pinging.closed();
  });

  it('of a tracker that neither reads its replies nor closes does not hold a connection for ever', async () => {
    const ingest = await startIngest(redisUrl, { INGEST_IDLE_TIMEOUT_MS: '300', INGEST_LISTENERS: 'gt06:0' });
    const tracker = await connectTracker(ingest.port('tcp', 'gt06'));
    tracker.socket.pause();
    const login = encodeGt06Login({ imei: newImei() }, 1);
    const logins = Buffer.concat(Array.from({ length: 30_000 }, () => login));
    const flood = setInterval(() => { if (tracker.socket.writableLength === 0) tracker.send(logins); }, 1);
    await eventually(async () => { expect(await ingest.metric('odograph_ingest_paused_sockets')).toBe(1); }, { timeoutMs: 30_000 });
    clearInterval(flood);
    await eventually(async () => { expect(await ingest.metric(CONNECTIONS)).toBe(0); });
    expect(await ingest.metric('odograph_ingest_paused_sockets')).toBe(0);
  });

  it('of a peer that does not close after we did ends two seconds later', async () => {
    const ingest = await startIngest(redisUrl, { INGEST_LOGIN_TIMEOUT_MS: '200' });
    const tracker = await connectTracker(ingest.port(), '127.0.0.1', { allowHalfOpen: true });
    await eventually(async () => { expect(await ingest.metric(REJECTIONS, { reason: 'login_timeout' })).toBe(1); });
    expect(await ingest.metric(CONNECTIONS)).toBe(1);
    await eventually(async () => { expect(await ingest.metric(CONNECTIONS)).toBe(0); });
    expect(tracker.received).toHaveLength(0);
  });
});
