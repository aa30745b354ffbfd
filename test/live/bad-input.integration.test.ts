/** What clients should not send, and do: a documented answer or a documented end, counted, and nobody else notices. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localProvider } from '../../src/auth/local/provider.ts';
import type { AuthProvider } from '../../src/auth/provider.ts';
import { append, frame, record } from '../core/support.ts';
import { eventually } from '../support/eventually.ts';
import { addDevices } from './fixtures.ts';
import type { TestLive, TestViewer } from './support.ts';
import { TOKEN, connect, openPreparedSite, signedIn, startLive } from './support.ts';

const DEVICE = '356307042441013';
let live: TestLive;
let bystander: TestViewer;
let time = 1_700_000_000_000;

beforeEach(async () => {
  const site = await openPreparedSite();
  await addDevices(site.pool, DEVICE);
  live = await startLive(site, { overrides: { LIVE_WS_MAX_MESSAGE_BYTES: '65536', LIVE_WS_MAX_SUBSCRIPTIONS: '3' } });
  bystander = await signedIn(live.url);
  await bystander.subscribe(`device:${DEVICE}`);
});

/** Whatever happened, somebody else gets the next position at once, and the server has nothing to log as an error. */
afterEach(async () => {
  time += 1_000;
  await append(live.site.redis, frame(DEVICE, [record(time)]));
  await eventually(() => { expect(bystander.positions().at(-1)?.ts).toBe(time); }, { timeoutMs: 1_000 });
  expect(live.lines.filter(({ level }) => level >= 50)).toEqual([]);
});

describe('a message that is none is answered with an error', () => {
  test.each<[what: string, text: string, code: string, message: RegExp]>([
    ['no JSON', '{"type":', 'invalid_json', /JSON/],
    ['no text at all', '', 'invalid_json', /JSON/],
    ['a number', '7', 'invalid_message', /expected object/],
    ['null', 'null', 'invalid_message', /expected object/],
    ['a list', '[]', 'invalid_message', /expected object/],
    ['no type', '{}', 'invalid_message', /^type: /],
    ['an unknown type', '{"type":"shout"}', 'invalid_message', /^type: /],
    ['a type of the server', '{"type":"position"}', 'invalid_message', /^type: /],
    ['a subscription to nothing', '{"type":"subscribe"}', 'invalid_message', /^topic: /],
    ['a subscription to both', '{"type":"subscribe","topic":"*","topics":["*"]}', 'invalid_message', /^topic: /],
    ['no topics', '{"type":"subscribe","topics":[]}', 'invalid_message', /^topics: /],
    ['a topic that is a number', '{"type":"subscribe","topic":7}', 'invalid_message', /^topic: /],
    ['a ref that is an object', '{"type":"ping","ref":{}}', 'invalid_message', /^ref: /],
    ['a long ref', JSON.stringify({ type: 'ping', ref: 'x'.repeat(101) }), 'invalid_message', /^ref: /],
    ['a token that is a list', '{"type":"auth","access_token":[]}', 'invalid_message', /^access_token: /],
    ['__proto__', '{"type":"subscribe","__proto__":{"topic":"*"}}', 'invalid_message', /^topic: /],
  ])('%s', async (_what, text, code, message) => {
    const viewer = await signedIn(live.url);
    viewer.socket.send(text);
    expect(await viewer.next('error')).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(await live.metric('processor_live_errors_total', { code })).toBe(1);
    expect(await live.metric('processor_live_inbound_messages_total', { type: 'invalid' })).toBe(1);
    await viewer.roundTrip();
  });

  test('its ref comes back', async () => {
    bystander.send({ type: 'shout', ref: 'mine' });
    expect(await bystander.answer('mine')).toMatchObject({ code: 'invalid_message' });
  });

  test('a binary message', async () => {
    const viewer = await signedIn(live.url);
    viewer.socket.send(Buffer.from('{"type":"ping"}'), { binary: true });
    expect(await viewer.next('error')).toMatchObject({ code: 'binary_not_supported' });
  });

  test.each(['', 'device', 'device:', `device:${'9'.repeat(129)}`, 'device:a\u0000b', 'group:7', 'group:ABCDEF00-0000-4000-8000-000000000000', 'event:', 'fleet:1', '**', ' *'])(
    'the topic "%s"', async (topic) => {
      expect(await bystander.subscribe(topic)).toMatchObject({ type: 'error', code: 'invalid_topic' });
    });

  test('a hundred of them in a row end the connection', async () => {
    const viewer = await signedIn(live.url);
    for (let n = 0; n < 100; n += 1) viewer.socket.send('nonsense');
    expect(await viewer.closed).toEqual({ code: 4400, reason: 'bad_messages' });
    await eventually(async () => { expect(await live.metric('processor_live_closes_total', { code: '4400' })).toBe(1); });
  });
});

describe('too much of it', () => {
  test('a message of 10 MB ends the connection', async () => {
    const viewer = await signedIn(live.url);
    viewer.socket.send('x'.repeat(10_000_000));
    expect((await viewer.closed).code).toBe(1009);
    await eventually(async () => { expect(await live.metric('processor_live_closes_total', { code: '1009' })).toBe(1); });
  });

  test('a thousand messages a second: the first are answered, the rest refused, and then the connection ends', async () => {
    const viewer = await signedIn(live.url);
    for (let n = 0; n < 1_000; n += 1) viewer.send({ type: 'ping' });
    expect(await viewer.closed).toEqual({ code: 4429, reason: 'rate_limited' });
    expect(viewer.received.filter(({ type }) => type === 'pong').length).toBeGreaterThanOrEqual(249);
    expect(viewer.received.filter(({ code }) => code === 'rate_limited')).toHaveLength(1);
    expect(await live.metric('processor_live_inbound_messages_total', { type: 'limited' })).toBeGreaterThanOrEqual(250);
    await eventually(async () => { expect(await live.metric('processor_live_closes_total', { code: '4429' })).toBe(1); });
  });

  test('more topics than a connection may have', async () => {
    const viewer = await signedIn(live.url);
    viewer.send({ type: 'subscribe', topics: ['device:a', 'device:b', '*', `device:${DEVICE}`], ref: 'r' });
    await eventually(() => { expect(viewer.received.filter(({ code }) => code === 'too_many_subscriptions')).toHaveLength(1); });
    expect(await viewer.subscribe('*')).toMatchObject({ type: 'subscribed' });
  });

  test('more requests for one topic than may wait for an answer: each has one all the same', async () => {
    const answering = Promise.withResolvers<undefined>();
    const provider = localProvider(TOKEN);
    const authorise: AuthProvider['authorise'] = async (...asked) => {
      await answering.promise;
      return provider.authorise(...asked);
    };
    const slow = await startLive(live.site, { provider: () => ({ ...provider, authorise }) });
    const viewer = await signedIn(slow.url);
    for (let n = 0; n < 10; n += 1) viewer.send({ type: 'subscribe', topic: '*', ref: `r${n}` });
    await viewer.roundTrip();
    expect(viewer.received.filter(({ code }) => code === 'rate_limited')).toMatchObject([{ topic: '*', ref: 'r8' }, { topic: '*', ref: 'r9' }]);
    answering.resolve(undefined);
    await eventually(() => { expect(viewer.received.filter(({ type }) => type === 'subscribed').map(({ ref }) => ref)).toEqual(Array.from({ length: 8 }, (_, n) => `r${n}`)); });
  });

  test('more connections than there may be: the upgrade is refused with 503', async () => {
    const full = await startLive(live.site, { overrides: { LIVE_WS_MAX_CONNECTIONS: '2' } });
    await Promise.all([connect(full.url), connect(full.url)]);
    await expect(connect(full.url)).rejects.toThrow('status 503');
    expect(await full.metric('processor_live_rejections_total', { reason: 'too_many_connections' })).toBe(1);
    const fewFromOne = await startLive(live.site, { overrides: { LIVE_WS_MAX_CONNECTIONS_PER_ADDRESS: '1', LIVE_PROXY_HOPS: '1' } });
    const from = (address: string): Promise<TestViewer> => connect(fewFromOne.url, { headers: { 'x-forwarded-for': `6.6.6.6, ${address}` } });
    await from('10.0.0.1');
    await expect(from('10.0.0.1')).rejects.toThrow('status 503');
    await from('10.0.0.2');
  });
});

describe('a connection that is none', () => {
  test.each(['/', '/live/', '/livex', '/live/sse', '//', '/%'])('an upgrade to %s is refused with 404', async (path) => {
    await expect(connect(live.httpUrl.replace('http', 'ws') + path)).rejects.toThrow(/status 404|Unexpected|Invalid/);
    expect(await live.metric('processor_live_rejections_total', { reason: 'not_found' })).toBe(1);
  });

  test('a plain request for /live is told to upgrade, and one for anything else that there is nothing', async () => {
    const response = await fetch(`${live.httpUrl}/live`);
    expect([response.status, response.headers.get('upgrade')]).toEqual([426, 'websocket']);
    expect((await fetch(`${live.httpUrl}/`)).status).toBe(404);
    expect((await fetch(`${live.httpUrl}/live/sse?topics=*`, { method: 'POST' })).status).toBe(404);
  });

  test.each([
    ['a foreign origin', 'https://evil.example'], ['the origin null', 'null'], ['no origin at all', 'nonsense'],
    ['another port of the same host', 'http://127.0.0.1:1'],
  ])('from %s is refused with 403', async (_what, origin) => {
    await expect(connect(live.url, { headers: { origin } })).rejects.toThrow('status 403');
    expect((await fetch(`${live.httpUrl}/live/sse?topics=*`, { headers: { origin } })).status).toBe(403);
    expect(await live.metric('processor_live_rejections_total', { reason: 'origin' })).toBe(2);
  });

  test('from a page of the same host and port is taken, and so is a listed one, which may read the events too', async () => {
    await connect(live.url, { headers: { origin: live.httpUrl } });
    const origin = 'https://fleet.example.com';
    const listed = await startLive(live.site, { overrides: { LIVE_ALLOWED_ORIGINS: `http://other.example,${origin}` } });
    await connect(listed.url, { headers: { origin } });
    const response = await fetch(`${listed.httpUrl}/live/sse?topics=*&access_token=${TOKEN}`, { headers: { origin } });
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(response.headers.get('access-control-allow-credentials')).toBe('true');
    await response.body!.cancel();
    const preflight = { method: 'OPTIONS', headers: { origin, 'access-control-request-headers': 'authorization' } };
    const answer = await fetch(`${listed.httpUrl}/live/sse?topics=*`, preflight);
    expect([answer.status, answer.headers.get('access-control-allow-headers')]).toEqual([204, 'authorization, last-event-id']);
    const foreign = await fetch(`${listed.httpUrl}/live/sse`, { ...preflight, headers: { origin: 'https://evil.example' } });
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  });

  test.each(['GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n', 'nonsense\r\n\r\n'])(
    'bytes that are no handshake are answered and ended', async (bytes) => {
      const socket = createConnection(live.live.port, '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk: Buffer) => { answer += chunk.toString(); });
      socket.write(bytes);
      await once(socket, 'close');
      expect(answer).toMatch(/^HTTP\/1.1 400 /);
    });

  test('frames that break the protocol end the connection with 1002', async () => {
    const viewer = await signedIn(live.url);
    const { _socket: socket } = viewer.socket as unknown as { _socket: NodeJS.WritableStream };
    // A text frame without the mask that a client has to use.
    socket.write(Buffer.from([0x81, 0x02, 0x68, 0x69]));
    expect((await viewer.closed).code).toBe(1002);
    await eventually(async () => { expect(await live.metric('processor_live_closes_total', { code: '1002' })).toBe(1); });
  });
});

describe('a connection that says nothing', () => {
  test('is closed with 4401 when it does not sign in', async () => {
    const quick = await startLive(live.site, { overrides: { LIVE_WS_AUTH_TIMEOUT_MS: '200' } });
    const viewer = await connect(quick.url);
    expect(await viewer.closed).toEqual({ code: 4401, reason: 'not_authenticated' });
    const wrong = await connect(quick.url);
    wrong.send({ type: 'auth', access_token: 'wrong-token' });
    expect(await wrong.closed).toEqual({ code: 4401, reason: 'not_authenticated' });
    await eventually(async () => { expect(await quick.metric('processor_live_closes_total', { code: '4401' })).toBe(2); });
  });

  test('is pinged, and cut off after two pings without a pong', async () => {
    const quick = await startLive(live.site, { overrides: { LIVE_WS_PING_INTERVAL_MS: '150' } });
    const well = await signedIn(quick.url);
    const ill = await connect(quick.url, { autoPong: false });
    ill.send({ type: 'auth', access_token: TOKEN });
    let pings = 0;
    ill.socket.on('ping', () => { pings += 1; });
    expect((await ill.closed).code).toBe(1006);
    expect(pings).toBe(2);
    await eventually(async () => { expect(await quick.metric('processor_live_closes_total', { code: '1006' })).toBe(1); });
    await well.roundTrip();
    expect(await quick.metric('processor_live_connections')).toBe(1);
  });
});
