/**
 * What a viewer can count on whoever the authority is: the same suite runs over every provider. Signing in, topics that
 * may be read and topics that may not, server-sent events.
 */
import { describe, expect, test } from 'vitest';
import { append, frame, record } from '../core/support.ts';
import { eventually } from '../support/eventually.ts';
import type { TestLive } from './support.ts';
import { connect, openEvents, signedIn } from './support.ts';

/** A system with devices and groups, and people who may see some of it. */
export interface ViewerWorld {
  readonly live: TestLive;
  /** A token that may read `device`, `group` and, if `all`, everything. */
  readonly token: string;
  readonly device: string;
  /** Another device that the token may read. */
  readonly second: string;
  readonly group: string;
  /** A token that may read everything. */
  readonly tokenOfAll: string;
  /** Topics that exist for somebody, or for nobody, and are refused to `token` with one answer. */
  readonly refused: readonly string[];
}

const START = 1_700_000_000_000;

function signingIn(world: () => ViewerWorld): void {
  test('with a first message', async () => {
    const { live, token, device } = world();
    const viewer = await connect(live.url);
    viewer.send({ type: 'auth', access_token: token, ref: 'a' });
    expect(await viewer.next('auth')).toMatchObject({ status: 'ok', ref: 'a' });
    expect(await viewer.subscribe(`device:${device}`)).toMatchObject({ type: 'subscribed' });
  });

  test('with a bearer header, and nothing is said before it is asked', async () => {
    const { live, token, device } = world();
    const viewer = await connect(live.url, { headers: { authorization: `Bearer ${token}` } });
    const answer = await viewer.subscribe(`device:${device}`);
    expect(answer).toMatchObject({ type: 'subscribed' });
    expect(viewer.received[0]).toBe(answer);
  });

  test.each(['wrong-token-of-nobody', '', ' ', 'a b', 'x'.repeat(5_000)])('not with the token "%s"', async (token) => {
    const { live, device } = world();
    const viewer = await connect(live.url);
    viewer.send({ type: 'auth', access_token: token });
    expect(await viewer.next('error')).toMatchObject({ code: 'auth_failed' });
    expect(await viewer.subscribe(`device:${device}`)).toMatchObject({ type: 'error', code: 'not_authenticated' });
  });

  test.each(['Bearer', 'Bearer ', 'Bearer a b', 'Basic eDp5', 'wrong'])('not with the header "%s"', async (authorization) => {
    const { live, device } = world();
    const viewer = await connect(live.url, { headers: { authorization } });
    expect(await viewer.next('error')).toMatchObject({ code: 'auth_failed' });
    expect(await viewer.subscribe(`device:${device}`)).toMatchObject({ type: 'error', code: 'not_authenticated' });
  });

  test('a bad credential of the upgrade may be followed by a good one in a message', async () => {
    const { live, token, device } = world();
    const viewer = await connect(live.url, { headers: { authorization: 'Bearer wrong-token-of-nobody' } });
    viewer.send({ type: 'auth', access_token: token });
    await viewer.next('auth');
    expect(await viewer.subscribe(`device:${device}`)).toMatchObject({ type: 'subscribed' });
  });

  test('messages sent in one go with the credential wait for its answer', async () => {
    const { live, token, device } = world();
    const viewer = await connect(live.url);
    viewer.send({ type: 'auth', access_token: token });
    viewer.send({ type: 'subscribe', topic: `device:${device}`, ref: 's' });
    expect(await viewer.answer('s')).toMatchObject({ type: 'subscribed' });
    expect(viewer.received.map(({ type }) => type)).toEqual(['auth', 'subscribed']);
  });

  test('again, with the same user, and the subscriptions go on', async () => {
    const { live, token, device } = world();
    const viewer = await signedIn(live.url, token);
    await viewer.subscribe(`device:${device}`);
    viewer.send({ type: 'auth', access_token: token, ref: 'again' });
    expect(await viewer.answer('again')).toMatchObject({ type: 'auth', status: 'ok' });
    await append(live.site.redis, frame(device, [record(START + 10_000)]));
    expect(await viewer.next('position')).toMatchObject({ position: { deviceId: device } });
  });
}

function topics(world: () => ViewerWorld): void {
  test('a device', async () => {
    const { live, token, device } = world();
    const viewer = await signedIn(live.url, token);
    expect(await viewer.subscribe(`device:${device}`)).toMatchObject({ type: 'subscribed', topic: `device:${device}` });
    await append(live.site.redis, frame(device, [record(START + 20_000)]));
    expect(await viewer.next('position')).toMatchObject({ topic: `device:${device}`, position: { deviceId: device, ts: START + 20_000 } });
  });

  test('a group, which is an event too', async () => {
    const { live, token, device, group } = world();
    const viewer = await signedIn(live.url, token);
    const { snapshot } = await viewer.subscribe(`group:${group}`);
    expect(snapshot!.map(({ deviceId }) => deviceId)).toContain(device);
    expect(await viewer.subscribe(`event:${group}`)).toMatchObject({ type: 'subscribed', topic: `event:${group}` });
  });

  test('everything, for those who may read everything', async () => {
    const { live, tokenOfAll, device, second } = world();
    const viewer = await signedIn(live.url, tokenOfAll);
    const { snapshot } = await viewer.subscribe('*');
    expect(snapshot!.map(({ deviceId }) => deviceId)).toEqual(expect.arrayContaining([device, second]));
  });

  test('what may not be read is refused, with one answer whatever the reason', async () => {
    const { live, token, refused } = world();
    const viewer = await signedIn(live.url, token);
    const answers = await Promise.all(refused.map((topic) => viewer.subscribe(topic)));
    const texts = answers.map(({ type, code, message }) => `${type} ${code} ${message}`);
    expect(new Set(texts)).toEqual(new Set([texts[0]]));
    expect(answers[0]).toMatchObject({ type: 'error', code: 'forbidden' });
  });

  test('several in one message, each with an answer of its own', async () => {
    const { live, token, device, second, refused } = world();
    const viewer = await signedIn(live.url, token);
    viewer.send({ type: 'subscribe', topics: [`device:${device}`, refused[0], `device:${second}`, `device:${device}`, 'nonsense'], ref: 'r' });
    await eventually(() => { expect(viewer.received.filter(({ ref }) => ref === 'r')).toHaveLength(4); });
    const answers = viewer.received.filter(({ ref }) => ref === 'r').map(({ type, topic, code }) => `${type} ${topic} ${code ?? ''}`.trim());
    // Who is cut off between two of them must not go on behind the second.
    const ids = viewer.received.filter(({ type }) => type === 'subscribed').map(({ id }) => id !== undefined);
    expect(ids).toEqual([false, true]);
    expect(answers.sort()).toEqual([
      `error ${refused[0]} forbidden`, 'error nonsense invalid_topic', `subscribed device:${device}`, `subscribed device:${second}`,
    ].sort());
  });

  test('one that is ended is sent nothing more, and one that was never followed ends as well', async () => {
    const { live, token, device, second } = world();
    const viewer = await signedIn(live.url, token);
    await viewer.subscribe(`device:${device}`);
    await viewer.subscribe(`device:${second}`);
    for (const topic of [`device:${device}`, 'device:never-followed']) {
      viewer.send({ type: 'unsubscribe', topic, ref: topic });
      expect(await viewer.answer(topic)).toEqual({ type: 'unsubscribed', topic, reason: 'requested', ref: topic });
    }
    await append(live.site.redis, frame(device, [record(START + 30_000)]), frame(second, [record(START + 30_000)]));
    await viewer.next('position');
    await viewer.roundTrip();
    expect(viewer.positions().map(({ deviceId }) => deviceId)).toEqual([second]);
  });

  test('one that is ended before it has begun does not begin, and both requests are answered', async () => {
    const { live, token, device, second } = world();
    const viewer = await signedIn(live.url, token);
    const topic = `device:${device}`;
    viewer.send({ type: 'subscribe', topic, ref: 's' });
    viewer.send({ type: 'unsubscribe', topics: [topic, topic], ref: 'u' });
    await viewer.subscribe(`device:${second}`);
    const answers = viewer.received.filter(({ ref }) => ref === 's' || ref === 'u');
    expect(answers).toEqual(['s', 'u'].map((ref) => ({ type: 'unsubscribed', topic, reason: 'requested', ref })));
    await append(live.site.redis, frame(device, [record(START + 35_000)]), frame(second, [record(START + 35_000)]));
    await viewer.next('position');
    expect(viewer.positions().map(({ deviceId }) => deviceId)).toEqual([second]);
  });

  test('one that is asked for several times in one go is answered as often, each with its ref and a snapshot', async () => {
    const { live, token, device, refused } = world();
    const viewer = await signedIn(live.url, token);
    const refs = ['q1', 'q2', 'q3'];
    for (const ref of refs) viewer.send({ type: 'subscribe', topics: [`device:${device}`, refused[0]], ref });
    await eventually(() => { expect(viewer.received.filter(({ ref }) => refs.includes(ref ?? ''))).toHaveLength(6); });
    await viewer.roundTrip();
    for (const ref of refs) {
      const answers = viewer.received.filter((message) => message.ref === ref);
      expect(answers.map(({ type }) => type).sort()).toEqual(['error', 'subscribed']);
      expect(answers.find(({ type }) => type === 'subscribed')!.snapshot).toMatchObject([{ deviceId: device }]);
    }
    await append(live.site.redis, frame(device, [record(START + 36_000)]));
    await viewer.next('position');
    await viewer.roundTrip();
    expect(viewer.positions()).toHaveLength(1);
  });

  test('that is none is not ended either', async () => {
    const { live, token } = world();
    const viewer = await signedIn(live.url, token);
    viewer.send({ type: 'unsubscribe', topic: 'nonsense', ref: 'u' });
    expect(await viewer.answer('u')).toMatchObject({ type: 'error', code: 'invalid_topic', topic: 'nonsense' });
  });
}

function serverSentEvents(world: () => ViewerWorld): void {
  const eventsUrl = (list: string): string => `${world().live.httpUrl}/live/sse?topics=${list}`;
  const bearer = (): Record<string, string> => ({ authorization: `Bearer ${world().token}` });

  test('the same messages, and the id of the last to go on from', async () => {
    const { live, device, second } = world();
    const events = await openEvents(eventsUrl(`device:${device},device:${second}`), bearer());
    await events.next('subscribed');
    await events.next('subscribed');
    await append(live.site.redis, frame(device, [record(START + 40_000)]));
    expect(await events.next('position')).toMatchObject({ topic: `device:${device}`, position: { ts: START + 40_000 } });
    await eventually(() => { expect(events.lastEventId).toMatch(/^\d+-\d+,\d+-\d+$/); });
    const id = events.lastEventId;
    events.close();
    await append(live.site.redis, frame(second, [record(START + 50_000)]));
    await eventually(async () => {
      const again = await openEvents(eventsUrl(`device:${device},device:${second}`), { ...bearer(), 'last-event-id': id });
      const answers = [await again.next('subscribed'), await again.next('subscribed')];
      again.close();
      expect(answers.map(({ resumed }) => resumed)).toEqual([true, true]);
      expect(answers.flatMap(({ snapshot }) => snapshot!)).toMatchObject([{ deviceId: second, ts: START + 50_000 }]);
    });
  });

  test('without a credential there is 401, with a wrong one too', async () => {
    const url = eventsUrl(`device:${world().device}`);
    expect((await fetch(url)).status).toBe(401);
    const response = await fetch(url, { headers: { authorization: 'Bearer wrong-token-of-nobody' } });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ type: 'error', code: 'unauthorized' });
  });

  test('where nothing may be read there is 403, where something may the rest is an error message', async () => {
    const { device, refused } = world();
    const [topic] = refused.filter((one) => one.startsWith('device:'));
    const response = await fetch(eventsUrl(topic!), { headers: bearer() });
    // An authority that lets everything be read leaves it to the database that there is no such device.
    if (response.status === 200) expect(await response.text()).toContain('"code":"forbidden"');
    else expect(response.status).toBe(403);
    const events = await openEvents(eventsUrl(`device:${device},${topic}`), bearer());
    expect(await events.next('error')).toMatchObject({ code: 'forbidden', topic });
    events.close();
  });

  test('where not everything is followed there is no id, so that a browser begins anew', async () => {
    const { live, device, second, refused } = world();
    const [topic] = refused.filter((one) => one.startsWith('device:'));
    const events = await openEvents(eventsUrl(`device:${device},${topic}`), bearer());
    await events.next('subscribed');
    await append(live.site.redis, frame(second, [record(START + 60_000)]), frame(device, [record(START + 60_000)]));
    await events.next('cursor');
    expect(events.lastEventId).toBe('');
    expect(events.positions()).toMatchObject([{ deviceId: device }]);
    events.close();
  });

  test.each([['no topics', ''], ['no topic', 'nonsense'], ['no UUID', 'group:1']])('%s is 400', async (_what, list) => {
    const response = await fetch(eventsUrl(list), { headers: bearer() });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'bad_request', message: expect.stringContaining('topics') as string });
  });
}

/** @param world made before each test runs */
export function describeViewers(world: () => ViewerWorld): void {
  describe('signing in', () => { signingIn(world); });
  describe('a topic', () => { topics(world); });
  describe('server-sent events', () => { serverSentEvents(world); });
}
