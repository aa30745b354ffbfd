/** How the live server ends: everybody is told, nobody holds it up. */
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { append, frame, record } from '../core/support.ts';
import { eventually } from '../support/eventually.ts';
import { addDevices } from './fixtures.ts';
import { TOKEN, connect, openEvents, openPreparedSite, prepareLive, signedIn, startLive } from './support.ts';

const DEVICE = '356307042441013';
const START = 1_700_000_000_000;

test('viewers get what was written, and 1001; event streams end; nobody else is let in', async () => {
  const site = await openPreparedSite();
  await addDevices(site.pool, DEVICE);
  const live = await startLive(site);
  const viewer = await signedIn(live.url);
  await viewer.subscribe(`device:${DEVICE}`);
  const anonymous = await connect(live.url);
  const events = await openEvents(`${live.httpUrl}/live/sse?topics=device:${DEVICE}&access_token=${TOKEN}`);
  await events.next('subscribed');
  await append(site.redis, frame(DEVICE, [record(START)]));
  await viewer.next('position');
  const startedAt = performance.now();
  await live.stop();
  expect(performance.now() - startedAt).toBeLessThan(900);
  expect(await viewer.closed).toEqual({ code: 1001, reason: 'shutdown' });
  expect(await anonymous.closed).toEqual({ code: 1001, reason: 'shutdown' });
  await eventually(() => events.isEnded);
  await expect(connect(live.url)).rejects.toThrow('ECONNREFUSED');
  expect(await live.metric('processor_live_connections')).toBe(0);
  expect(await live.metric('processor_live_closes_total', { code: '1001' })).toBe(3);
});

test('a viewer that does not answer, and a connection that asks for nothing, are cut off in time', async () => {
  const site = await openPreparedSite();
  const live = await startLive(site, { overrides: { LIVE_WS_DRAIN_TIMEOUT_MS: '300' } });
  const viewer = await signedIn(live.url);
  viewer.socket.pause();
  const silent = createConnection(live.live.port, '127.0.0.1');
  await once(silent, 'connect');
  const startedAt = performance.now();
  await live.stop();
  expect(performance.now() - startedAt).toBeGreaterThan(250);
  expect(performance.now() - startedAt).toBeLessThan(1_500);
});

test('stopped before it was started, while it starts, and twice', async () => {
  const site = await openPreparedSite();
  await prepareLive(site).live.stop();
  const { live } = prepareLive(site);
  const started = live.start();
  await live.stop();
  await started;
  expect(live.isStarted).toBe(false);
  await live.stop();
});

test('a port that is taken ends the start with its name', async () => {
  const site = await openPreparedSite();
  const first = await startLive(site);
  const { live } = prepareLive(site, { overrides: { LIVE_WS_PORT: String(first.live.port) } });
  await expect(live.start()).rejects.toThrow(`LIVE_WS_PORT: cannot listen on ${first.live.port}: `);
});

test('event streams are kept alive by comments', async () => {
  const site = await openPreparedSite();
  await addDevices(site.pool, DEVICE);
  const live = await startLive(site, { overrides: { LIVE_WS_PING_INTERVAL_MS: '100' } });
  const events = await openEvents(`${live.httpUrl}/live/sse?topics=device:${DEVICE}&access_token=${TOKEN}`);
  await eventually(() => { expect(events.comments).toBeGreaterThan(2); });
});

test('an event stream of which nothing is taken is ended', async () => {
  const site = await openPreparedSite();
  await addDevices(site.pool, DEVICE);
  const live = await startLive(site, { overrides: { LIVE_WS_SLOW_CLIENT_TIMEOUT_MS: '500', LIVE_WS_BACKPRESSURE_THRESHOLD_BYTES: '65536' } });
  const socket = createConnection(live.live.port, '127.0.0.1').pause();
  socket.write(`GET /live/sse?topics=device:${DEVICE}&access_token=${TOKEN} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await eventually(async () => { expect(await live.metric('processor_live_subscriptions')).toBe(1); });
  const attributes = new Map([['text', 'x'.repeat(60_000)]]);
  let n = 0;
  await eventually(async () => {
    for (let more = 0; more < 20; more += 1) {
      await append(site.redis, frame(DEVICE, [record(START + (n += 1), { attributes })]));
    }
    expect(await live.metric('processor_live_connections')).toBe(0);
  }, { timeoutMs: 20_000 });
  expect(await live.metric('processor_live_slow_connections')).toBe(0);
  socket.destroy();
});
