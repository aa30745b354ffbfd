/** A viewer that does not read: what it costs, what it gets when it reads again, and what the others notice. */
import { expect, test } from 'vitest';
import { append, frame, record } from '../core/support.ts';
import { eventually } from '../support/eventually.ts';
import { addDevices } from './fixtures.ts';
import type { TestLive, TestViewer } from './support.ts';
import { openPreparedSite, signedIn, startLive } from './support.ts';

const DEVICES = Array.from({ length: 5 }, (_, n) => `35630704244100${n}`);
const TOPICS = DEVICES.map((device) => `device:${device}`);
const START = 1_700_000_000_000;
/** A large record fills the buffers of the operating system sooner. */
const ATTRIBUTES = new Map([['text', 'x'.repeat(20_000)]]);

async function start(overrides = {}): Promise<TestLive> {
  const site = await openPreparedSite();
  await addDevices(site.pool, ...DEVICES);
  return startLive(site, { overrides: { LIVE_WS_BACKPRESSURE_THRESHOLD_BYTES: '65536', ...overrides } });
}

async function follow(live: TestLive): Promise<TestViewer> {
  const viewer = await signedIn(live.url);
  viewer.send({ type: 'subscribe', topics: TOPICS });
  await eventually(() => { expect(viewer.received.filter(({ type }) => type === 'subscribed')).toHaveLength(DEVICES.length); });
  return viewer;
}

/** One more position of each device; `round` tells them apart. */
async function send(live: TestLive, round: number): Promise<void> {
  const frames = DEVICES.map((device) => frame(device, [record(START + round * 1_000, { attributes: ATTRIBUTES })]));
  await append(live.site.redis, ...frames);
}

/** Sends rounds until something waits for the viewer that does not read. @returns the last round */
async function sendUntilSlow(live: TestLive): Promise<number> {
  let round = 0;
  await eventually(async () => {
    for (let more = 0; more < 10; more += 1) await send(live, round += 1);
    expect(await live.metric('processor_live_slow_connections')).toBe(1);
  }, { timeoutMs: 30_000 });
  return round;
}

test('positions are conflated: it gets the newest of each device when it reads again, and goes on from there', async () => {
  const live = await start();
  const slow = await follow(live);
  const quick = await follow(live);
  slow.socket.pause();
  const rounds = await sendUntilSlow(live);
  for (let more = 1; more <= 50; more += 1) await send(live, rounds + more);
  const last = rounds + 50;
  // The others get everything.
  await eventually(() => { expect(quick.positions()).toHaveLength(last * DEVICES.length); });
  expect(await live.metric('processor_live_conflated_positions_total')).toBeGreaterThan(40 * DEVICES.length);
  slow.socket.resume();
  await eventually(() => {
    for (const topic of TOPICS) expect(slow.positions(topic).at(-1)?.ts).toBe(START + last * 1_000);
  });
  expect(await live.metric('processor_live_slow_connections')).toBe(0);
  expect(slow.positions().length).toBeLessThan(last * DEVICES.length - 40 * DEVICES.length);
  for (const topic of TOPICS) {
    const times = slow.positions(topic).map(({ ts }) => ts);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
  }
  // In step again: every position, and the cursor behind it.
  await send(live, last + 1);
  const isLast = ({ ts }: { ts: number }): boolean => ts === START + (last + 1) * 1_000;
  await eventually(() => { expect(slow.positions().filter(isLast)).toHaveLength(DEVICES.length); });
  expect(slow.received.at(-1)?.type).toBe('cursor');
  expect(slow.received.findLast(({ type }) => type === 'cursor')).toEqual(quick.received.findLast(({ type }) => type === 'cursor'));
}, 60_000);

test('its requests are not read meanwhile, so that answers do not pile up', async () => {
  const live = await start();
  const slow = await follow(live);
  slow.socket.pause();
  await sendUntilSlow(live);
  const read = await live.metric('processor_live_inbound_messages_total', { type: 'ping' });
  for (let n = 0; n < 100; n += 1) slow.send({ type: 'ping', ref: String(n) });
  await send(live, 1_000_000);
  expect(await live.metric('processor_live_inbound_messages_total', { type: 'ping' })).toBe(read);
  slow.socket.resume();
  expect(await slow.answer('99')).toMatchObject({ type: 'pong' });
}, 60_000);

test('a topic that it has ended meanwhile is not sent any more', async () => {
  const live = await start();
  const slow = await follow(live);
  slow.socket.pause();
  const rounds = await sendUntilSlow(live);
  await send(live, rounds + 1);
  slow.send({ type: 'unsubscribe', topic: TOPICS[0], ref: 'u' });
  slow.socket.resume();
  await slow.answer('u');
  const before = slow.positions(TOPICS[0]).length;
  await send(live, rounds + 2);
  await eventually(() => { expect(slow.positions(TOPICS[1]).at(-1)?.ts).toBe(START + (rounds + 2) * 1_000); });
  expect(slow.positions(TOPICS[0])).toHaveLength(before);
}, 60_000);

test('one that takes nothing for too long is closed with 4490, and the others go on', async () => {
  const live = await start({ LIVE_WS_SLOW_CLIENT_TIMEOUT_MS: '500' });
  const slow = await follow(live);
  const quick = await follow(live);
  slow.socket.pause();
  const rounds = await sendUntilSlow(live);
  await eventually(async () => { expect(await live.metric('processor_live_subscriptions')).toBe(DEVICES.length); });
  slow.socket.resume();
  expect(await slow.closed).toEqual({ code: 4490, reason: 'slow_client' });
  await eventually(async () => { expect(await live.metric('processor_live_closes_total', { code: '4490' })).toBe(1); });
  expect(live.lines.filter(({ msg }) => msg === 'viewer disconnected').at(-1)).toMatchObject({ code: 4490, reason: 'slow_client', level: 40 });
  await send(live, rounds + 1);
  await eventually(() => { expect(quick.positions().at(-1)?.ts).toBe(START + (rounds + 1) * 1_000); });
}, 60_000);
