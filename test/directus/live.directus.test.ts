/** The live server with a real Directus as the authority: who is let in, what may be followed, and when that ends. */
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { directusProvider } from '../../src/auth/directus/provider.ts';
import type { Overrides, Site } from '../core/support.ts';
import { append, frame, openSite, record } from '../core/support.ts';
import type { TestLive, TestViewer } from '../live/support.ts';
import { connect, openEvents, signedIn, startLive } from '../live/support.ts';
import type { ViewerWorld } from '../live/viewer-suite.ts';
import { describeViewers } from '../live/viewer-suite.ts';
import { eventually } from '../support/eventually.ts';
import type { Permission } from './support/admin.ts';
import { addToGroup, insertDevices, query, uniqueIds } from './support/fleet-sql.ts';
import type { SeededDirectus } from './support/seeded.ts';
import { startSeededDirectus } from './support/seeded.ts';
import { startDirectus } from './support/server.ts';
import { logIn, logInSession, logOutSession, refreshSession } from './support/sessions.ts';

const ORIGIN = 'https://fleet.example.com';
const START = 1_700_000_000_000;
/** As short as the time-outs allow. */
const QUICK = { DIRECTUS_AUTH_TIMEOUT_MS: '500', DIRECTUS_AUTHZ_TIMEOUT_MS: '500', LIVE_AUTHZ_REVALIDATE_MS: '3000' };

let seeded: SeededDirectus;
let site: Site;

beforeAll(async () => {
  seeded = await startSeededDirectus();
  const sql = `insert into device_state (device_id, ts, event_id, received_at, valid, priority, attributes)
    select id, to_timestamp(1600000000), 0, now(), true, 0, '{}' from devices`;
  await query(seeded.postgresUrl, sql);
});
afterAll(() => seeded.stop());
beforeEach(async () => { site = await openSite({ postgresUrl: seeded.postgresUrl }); });

/** A live server that asks this Directus, with its service account if `watches`. */
function startAsking(
  overrides: Overrides = {},
  { watches = false, url = seeded.directus.url } = {},
): Promise<TestLive> {
  const { token } = seeded.fleet.users.service;
  return startLive(site, {
    overrides: {
      AUTH_PROVIDER: 'directus', DIRECTUS_BASE_URL: url, LIVE_ALLOWED_ORIGINS: ORIGIN,
      ...(watches ? { DIRECTUS_SERVICE_TOKEN: token } : {}), ...overrides,
    },
    provider: (events, settings) =>
      directusProvider({ settings, baseUrl: url, onRequest: events.directusAsked, onWatch: events.directusWatch }),
  });
}

async function untilWatching(live: TestLive): Promise<void> {
  await eventually(async () => { expect(await live.metric('processor_live_directus_watching')).toBe(1); });
}

async function withCookie(live: TestLive, cookie: string, origin: string | undefined = ORIGIN): Promise<TestViewer> {
  return connect(live.url, { headers: { cookie, ...(origin === undefined ? {} : { origin }) } });
}

async function jwtOf(name: keyof SeededDirectus['fleet']['users'], url = seeded.directus.url): Promise<string> {
  const { email, password } = seeded.fleet.users[name];
  return (await logIn(url, email, password)).accessToken;
}

describe('AUTH_PROVIDER=directus', () => {
  let world: ViewerWorld;
  beforeEach(async () => {
    const { devices, groups, users } = seeded.fleet;
    world = {
      live: await startAsking(),
      token: users.north.token,
      device: devices.north[0]!,
      second: devices.north[1]!,
      group: groups.north,
      tokenOfAll: users.full.token,
      refused: [
        `device:${devices.south[0]}`, `device:${devices.moved}`, `device:${devices.future}`, 'device:unheard-of', 'device:$CURRENT_USER',
        `group:${groups.south}`, 'group:00000000-0000-4000-8000-000000000000', '*',
      ],
    };
  });

  describeViewers(() => world);
});

describe('a credential', () => {
  test('is a JWT, its session cookie, or a static token, and each says the same', async () => {
    const live = await startAsking();
    const { north } = seeded.fleet.users;
    const viewers = [
      await signedIn(live.url, await jwtOf('north')),
      await withCookie(live, await logInSession(seeded.directus.url, north.email, north.password)),
      await signedIn(live.url, north.token),
    ];
    for (const viewer of viewers) {
      expect(await viewer.subscribe(`device:${seeded.fleet.devices.north[0]}`)).toMatchObject({ type: 'subscribed' });
      expect(await viewer.subscribe(`device:${seeded.fleet.devices.south[0]}`)).toMatchObject({ code: 'forbidden' });
    }
  });

  test('of a list of its own, without a role', async () => {
    const viewer = await signedIn((await startAsking()).url, seeded.fleet.users.listed.token);
    for (const device of seeded.fleet.devices.listed) expect(await viewer.subscribe(`device:${device}`)).toMatchObject({ type: 'subscribed' });
    expect(await viewer.subscribe(`device:${seeded.fleet.devices.north[1]}`)).toMatchObject({ code: 'forbidden' });
    expect(await viewer.subscribe(`group:${seeded.fleet.groups.north}`)).toMatchObject({ code: 'forbidden' });
  });

  test('of a user who may read nothing is good, and everything is forbidden', async () => {
    const viewer = await signedIn((await startAsking()).url, seeded.fleet.users.nothing.token);
    for (const topic of ['*', `device:${seeded.fleet.devices.single}`]) expect(await viewer.subscribe(topic)).toMatchObject({ code: 'forbidden' });
  });

  test('that comes as a cookie needs a listed origin', async () => {
    const live = await startAsking();
    const { north } = seeded.fleet.users;
    const cookie = await logInSession(seeded.directus.url, north.email, north.password);
    await expect(withCookie(live, cookie, 'https://evil.example')).rejects.toThrow('status 403');
    await expect(connect(live.url, { headers: { cookie } })).rejects.toThrow('status 403');
    await expect(connect(live.url, { headers: { cookie, origin: live.httpUrl } })).rejects.toThrow('status 403');
    const events = await openEvents(`${live.httpUrl}/live/sse?topics=device:${seeded.fleet.devices.north[0]}`, { cookie, origin: ORIGIN });
    expect(await events.next('subscribed')).toMatchObject({ type: 'subscribed' });
  });

  test('is not taken from the URL', async () => {
    const live = await startAsking();
    await expect(connect(`${live.url}?access_token=${seeded.fleet.users.north.token}`)).rejects.toThrow('status 400');
  });

  test('none at all never becomes what Directus lets everybody read', async () => {
    const { admin, fleet } = seeded;
    const [found] = await admin.policies.find({ name: { _eq: '$t:public_label' } });
    const policy = found!.id;
    const permission = await admin.permissions.create({ policy, collection: 'devices', action: 'read', permissions: null, fields: ['*'] });
    onTestFinished(() => admin.permissions.delete(permission));
    const live = await startAsking();
    for (const token of ['', ' ', 'undefined', 'a b']) {
      const viewer = await connect(live.url);
      viewer.send({ type: 'auth', access_token: token });
      expect(await viewer.next('error')).toMatchObject({ code: 'auth_failed' });
      expect(await viewer.subscribe(`device:${fleet.devices.single}`)).toMatchObject({ code: 'not_authenticated' });
    }
    for (const authorization of ['Bearer ', 'Basic eDp5']) {
      const response = await fetch(`${live.httpUrl}/live/sse?topics=device:${fleet.devices.single}`, { headers: { authorization } });
      expect(response.status).toBe(401);
    }
  });

  test('a JWT of a user whose status nobody may read is refused, and taken where the service account says that it is active', async () => {
    const token = await jwtOf('quiet');
    const viewer = await connect((await startAsking()).url);
    viewer.send({ type: 'auth', access_token: token });
    expect(await viewer.next('error')).toMatchObject({ code: 'auth_failed', message: expect.stringContaining('status') as string });
    const known = await signedIn((await startAsking({}, { watches: true })).url, token);
    expect(await known.subscribe(`device:${seeded.fleet.devices.north[0]}`)).toMatchObject({ type: 'subscribed' });
  });

  test('of another user does not take over a connection', async () => {
    const viewer = await signedIn((await startAsking()).url, seeded.fleet.users.north.token);
    await viewer.subscribe(`device:${seeded.fleet.devices.north[0]}`);
    viewer.send({ type: 'auth', access_token: seeded.fleet.users.full.token, ref: 'other' });
    expect(await viewer.answer('other')).toMatchObject({ type: 'error', code: 'auth_other_user' });
    expect(await viewer.subscribe(`device:${seeded.fleet.devices.south[0]}`)).toMatchObject({ code: 'forbidden' });
    await append(site.redis, frame(seeded.fleet.devices.north[0]!, [record(START)]));
    await viewer.next('position');
  });
});

test('5,000 devices at once, allowed ones and others, are a few questions', async () => {
  const { fleet, postgresUrl } = seeded;
  const ids = uniqueIds(5_000, 100_000);
  await insertDevices(postgresUrl, ids);
  await addToGroup(postgresUrl, fleet.groups.north, ids.slice(0, 3_000));
  const live = await startAsking();
  const viewer = await signedIn(live.url, fleet.users.north.token);
  const before = await requestsOf(live);
  viewer.send({ type: 'subscribe', topics: ids.map((id) => `device:${id}`), ref: 'all' });
  await eventually(() => { expect(viewer.received.filter(({ ref }) => ref === 'all')).toHaveLength(5_000); });
  expect(viewer.received.filter(({ type }) => type === 'subscribed')).toHaveLength(3_000);
  expect(viewer.received.filter(({ code }) => code === 'forbidden')).toHaveLength(2_000);
  expect(await requestsOf(live) - before).toBeLessThanOrEqual(7);
  expect((await viewer.subscribe(`group:${fleet.groups.north}`)).type).toBe('subscribed');
});

/** Requests to Directus so far. */
async function requestsOf(live: TestLive): Promise<number> {
  const { values } = await live.registry.getSingleMetric('processor_live_directus_request_duration_seconds')!.get();
  const counts = values.filter((one) => (one as { metricName?: string }).metricName?.endsWith('_count') === true);
  return counts.reduce((sum, one) => sum + one.value, 0);
}

describe.each([
  ['found when it is asked again', false, QUICK],
  ['told by Directus', true, {}],
])('what changes in Directus, %s', (_how, watches, overrides) => {
  /** A viewer that follows a device of north, and the group. */
  async function following(token: string): Promise<{ live: TestLive; viewer: TestViewer; device: string }> {
    const live = await startAsking(overrides, { watches });
    if (watches) await untilWatching(live);
    const device = seeded.fleet.devices.north[0]!;
    const viewer = await signedIn(live.url, token);
    await viewer.subscribe(`device:${device}`);
    await viewer.subscribe(`group:${seeded.fleet.groups.north}`);
    return { live, viewer, device };
  }

  async function expectEnd(viewer: TestViewer, code: number): Promise<void> {
    const startedAt = performance.now();
    expect((await viewer.closed).code).toBe(code);
    if (watches) expect(performance.now() - startedAt).toBeLessThan(1_500);
  }

  test.each(['JWT', 'static token'])('a suspended user with a %s is cut off', async (kind) => {
    const { admin, fleet } = seeded;
    const { viewer } = await following(kind === 'JWT' ? await jwtOf('north') : fleet.users.north.token);
    await admin.suspend(fleet.users.north.id);
    onTestFinished(() => admin.activate(fleet.users.north.id));
    await expectEnd(viewer, 4403);
    expect(viewer.received.filter(({ type }) => type === 'unsubscribed').map(({ reason }) => reason)).toEqual(['revoked', 'revoked']);
    expect(viewer.received.at(-1)).toMatchObject({ type: 'error', code: 'auth_failed' });
  });

  test('a role that is taken away ends the connection of a JWT that still has it', async () => {
    const { admin, fleet } = seeded;
    const { viewer } = await following(await jwtOf('north'));
    await admin.users.patch(fleet.users.north.id, { role: fleet.roles.nothing });
    onTestFinished(() => admin.users.patch(fleet.users.north.id, { role: fleet.roles.fleet }));
    await expectEnd(viewer, 4403);
  });

  test('a role that is taken away ends the topics of a static token', async () => {
    const { admin, fleet } = seeded;
    const { viewer } = await following(fleet.users.north.token);
    await admin.users.patch(fleet.users.north.id, { role: fleet.roles.nothing });
    onTestFinished(() => admin.users.patch(fleet.users.north.id, { role: fleet.roles.fleet }));
    expect(await viewer.next('unsubscribed')).toMatchObject({ reason: 'revoked' });
    expect(await viewer.next('unsubscribed')).toMatchObject({ reason: 'revoked' });
    await viewer.roundTrip();
  });

  test('a permission that is narrowed ends the topics that it no longer covers, and nothing of them is sent any more', async () => {
    const { admin, fleet } = seeded;
    const { viewer, device } = await following(fleet.users.north.token);
    const other = fleet.devices.north[1]!;
    await viewer.subscribe(`device:${other}`);
    const filter = { policy: { _eq: fleet.policies.fleet }, collection: { _eq: 'devices' } };
    const [{ id, permissions }] = (await admin.permissions.find(filter)) as [Permission];
    await admin.permissions.patch(id, { permissions: { unique_id: { _eq: other } } });
    onTestFinished(() => admin.permissions.patch(id, { permissions }));
    expect(await viewer.next('unsubscribed')).toEqual({ type: 'unsubscribed', topic: `device:${device}`, reason: 'revoked' });
    viewer.send({ type: 'unsubscribe', topic: `group:${fleet.groups.north}` });
    await append(site.redis, frame(device, [record(START + 60_000)]), frame(other, [record(START + 60_000)]));
    await eventually(() => { expect(viewer.positions(`device:${other}`)).toHaveLength(1); });
    await viewer.roundTrip();
    expect(viewer.positions(`device:${device}`)).toEqual([]);
    expect(await viewer.subscribe(`device:${device}`)).toMatchObject({ code: 'forbidden' });
  });

  test('a policy that is detached from the user ends what it allowed, and attached again allows it again', async () => {
    const { admin, fleet } = seeded;
    const live = await startAsking(overrides, { watches });
    if (watches) await untilWatching(live);
    const viewer = await signedIn(live.url, fleet.users.listed.token);
    const topic = `device:${fleet.devices.single}`;
    await viewer.subscribe(topic);
    const [access] = await admin.access.find({ user: { _eq: fleet.users.listed.id } });
    await admin.access.delete(access!.id);
    expect(await viewer.next('unsubscribed')).toMatchObject({ topic, reason: 'revoked' });
    expect(await viewer.subscribe(topic)).toMatchObject({ code: 'forbidden' });
    await admin.access.create({ policy: fleet.policies.listed, user: fleet.users.listed.id });
    await eventually(async () => { expect(await viewer.subscribe(topic)).toMatchObject({ type: 'subscribed' }); });
  });
});

describe('a session cookie', () => {
  test('that is logged out is dead at the next question', async () => {
    const { directus, fleet } = seeded;
    const cookie = await logInSession(directus.url, fleet.users.north.email, fleet.users.north.password);
    const live = await startAsking(QUICK);
    const viewer = await withCookie(live, cookie);
    await viewer.subscribe(`device:${fleet.devices.north[0]}`);
    await logOutSession(directus.url, cookie);
    expect((await viewer.closed).code).toBe(4403);
    const again = await withCookie(live, cookie);
    expect(await again.next('error')).toMatchObject({ code: 'auth_failed' });
  });

  test('that was exchanged for a new one goes on with the new one, on a new connection', async () => {
    const { directus, fleet } = seeded;
    const cookie = await logInSession(directus.url, fleet.users.north.email, fleet.users.north.password);
    const live = await startAsking(QUICK);
    const renewed = await refreshSession(directus.url, cookie);
    const viewer = await withCookie(live, renewed);
    expect(await viewer.subscribe(`device:${fleet.devices.north[0]}`)).toMatchObject({ type: 'subscribed' });
  });
});

describe('a JWT that expires', () => {
  test('closes the connection at its end with 4419; a fresh one before that lets it go on', async () => {
    const directus = await startDirectus({ postgresUrl: seeded.postgresUrl, env: { ACCESS_TOKEN_TTL: '4s' } });
    onTestFinished(() => directus.stop());
    const live = await startAsking({}, { url: directus.url });
    const topic = `device:${seeded.fleet.devices.north[0]}`;
    const token = await jwtOf('north', directus.url);
    const [ends, goesOn] = [await signedIn(live.url, token), await signedIn(live.url, token)];
    await Promise.all([ends.subscribe(topic), goesOn.subscribe(topic)]);
    const { expiresAt } = ends.received.find(({ type }) => type === 'auth')!;
    expect(expiresAt).toBeGreaterThan(Date.now());
    await eventually(() => Date.now() > expiresAt! - 1_500);
    goesOn.send({ type: 'auth', access_token: await jwtOf('north', directus.url), ref: 'fresh' });
    expect(await goesOn.answer('fresh')).toMatchObject({ status: 'ok' });
    expect((await ends.closed).code).toBe(4419);
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt!);
    expect(Date.now()).toBeLessThan(expiresAt! + 1_500);
    expect(ends.received.find(({ type }) => type === 'unsubscribed')).toMatchObject({ reason: 'expired' });
    await append(site.redis, frame(seeded.fleet.devices.north[0]!, [record(START + 70_000)]));
    await goesOn.next('position');
    const late = await connect(live.url);
    late.send({ type: 'auth', access_token: token });
    expect(await late.next('error')).toMatchObject({ code: 'auth_failed' });
  });
});

describe('a Directus that cannot be asked', () => {
  test('stopped and started again in time: nobody notices but those who come', async () => {
    const live = await startAsking({ ...QUICK, LIVE_AUTHZ_REVALIDATE_MS: '30000' });
    const device = seeded.fleet.devices.north[0]!;
    const viewer = await signedIn(live.url, seeded.fleet.users.north.token);
    await viewer.subscribe(`device:${device}`);
    await seeded.directus.kill();
    const late = await connect(live.url);
    late.send({ type: 'auth', access_token: seeded.fleet.users.full.token });
    expect(await late.next('error')).toMatchObject({ code: 'auth_unavailable' });
    expect(await viewer.subscribe(`device:${seeded.fleet.devices.north[2]}`)).toMatchObject({ code: 'authorisation_unavailable' });
    const answer = await fetch(`${live.httpUrl}/live/sse?topics=*`, { headers: { authorization: `Bearer ${seeded.fleet.users.full.token}` } });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    await append(site.redis, frame(device, [record(START + 80_000)]));
    await viewer.next('position');
    seeded.directus = await seeded.directus.again();
    await eventually(async () => {
      late.send({ type: 'auth', access_token: seeded.fleet.users.full.token });
      await late.next('auth', 200);
    });
    await eventually(async () => { expect(await viewer.subscribe(`device:${seeded.fleet.devices.north[2]}`)).toMatchObject({ type: 'subscribed' }); });
  });

  test('stopped for too long: subscriptions end when what it said is too old, and no later; the connection stands', async () => {
    const live = await startAsking(QUICK);
    const topic = `device:${seeded.fleet.devices.north[0]}`;
    const viewer = await signedIn(live.url, seeded.fleet.users.north.token);
    await viewer.subscribe(topic);
    const startedAt = performance.now();
    await seeded.directus.kill();
    expect(await viewer.next('unsubscribed')).toMatchObject({ topic, reason: 'expired' });
    expect(performance.now() - startedAt).toBeLessThan(3_500);
    expect(await viewer.next('error')).toMatchObject({ code: 'authorisation_unavailable' });
    expect(await live.metric('processor_live_revalidations_total', { result: 'lapsed' })).toBe(1);
    seeded.directus = await seeded.directus.again();
    await eventually(async () => { expect(await viewer.subscribe(topic)).toMatchObject({ type: 'subscribed' }); });
  });

  test('frozen: whoever comes is answered within the time-out', async () => {
    const live = await startAsking(QUICK);
    await seeded.directus.freeze();
    try {
      const startedAt = performance.now();
      const viewers = await Promise.all(Array.from({ length: 20 }, () => connect(live.url)));
      for (const [n, viewer] of viewers.entries()) viewer.send({ type: 'auth', access_token: `static-token-number-${n}` });
      for (const viewer of viewers) expect(await viewer.next('error')).toMatchObject({ code: 'auth_unavailable' });
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    } finally {
      await seeded.directus.thaw();
    }
    await eventually(() => signedIn(live.url, seeded.fleet.users.north.token));
  });

  test('that answers 429 is no yes and no no', async () => {
    const limited = await startDirectus({
      postgresUrl: seeded.postgresUrl,
      env: { RATE_LIMITER_ENABLED: 'true', RATE_LIMITER_STORE: 'memory', RATE_LIMITER_POINTS: '5', RATE_LIMITER_DURATION: '4' },
    });
    onTestFinished(() => limited.stop());
    const live = await startAsking({}, { url: limited.url });
    const codes: (string | undefined)[] = [];
    await eventually(async () => {
      const viewer = await connect(live.url);
      viewer.send({ type: 'auth', access_token: `static-token-${Math.random()}` });
      codes.push((await viewer.next('error')).code);
      expect(codes).toContain('auth_unavailable');
    });
    expect(new Set(codes)).toEqual(new Set(['auth_failed', 'auth_unavailable']));
    await eventually(() => signedIn(live.url, seeded.fleet.users.north.token), { timeoutMs: 15_000 });
  });
});

test('a Directus whose WebSocket is off is reported once, and decisions are asked again all the same', async () => {
  const directus = await startDirectus({ postgresUrl: seeded.postgresUrl, env: { WEBSOCKETS_ENABLED: 'false' } });
  onTestFinished(() => directus.stop());
  const { admin, fleet } = seeded;
  const live = await startAsking(QUICK, { watches: true, url: directus.url });
  const viewer = await signedIn(live.url, fleet.users.north.token);
  await viewer.subscribe(`device:${fleet.devices.north[0]}`);
  await admin.suspend(fleet.users.north.id);
  onTestFinished(() => admin.activate(fleet.users.north.id));
  expect((await viewer.closed).code).toBe(4403);
  expect(live.lines.filter(({ msg }) => msg.startsWith('Directus does not tell'))).toHaveLength(1);
  expect(await live.metric('processor_live_directus_watching')).toBe(0);
});
