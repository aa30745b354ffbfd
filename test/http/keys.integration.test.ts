/** What an API key reaches, how long, and what becomes of it while Redis or the database is away. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { listKeys, revokeKeys } from '../../src/accounts/keys.ts';
import type { Caller } from '../../src/http/caller.ts';
import { PROBLEM_RESPONSES } from '../../src/http/problem.ts';
import type { ApiRoutes } from '../../src/http/routes.ts';
import { ACCOUNTS_DIGEST_KEY, ACCOUNTS_KEY } from '../../src/shared/contracts/accounts.ts';
import type { Site } from '../core/support.ts';
import { startCore } from '../core/support.ts';
import { addDevices, addGroup, join, leave } from '../live/fixtures.ts';
import { connect, openPreparedSite, startLive } from '../live/support.ts';
import { eventually } from '../support/eventually.ts';
import type { PrivateServer } from '../support/private-server.ts';
import { startPrivateRedis } from '../support/redis.ts';
import type { TestApi } from './support.ts';
import { Accounts, TOKEN, problemOf, startApi } from './support.ts';

let caller: Caller | null = null;

/** Shows whom the server takes a caller for. */
const mirror: ApiRoutes = async (app) => {
  const schema = (operationId: string) => ({ operationId, summary: operationId, tags: ['Devices'], response: { 200: z.any(), ...PROBLEM_RESPONSES } });
  const remember = async (request: { caller: Caller }): Promise<unknown> => {
    ({ caller } = request);
    return {};
  };
  app.get('/v1/mirror', { config: { scope: 'any' }, schema: schema('mirror') }, remember);
};

let site: Site;
let accounts: Accounts;
let api: TestApi;
beforeEach(async () => {
  site = await openPreparedSite();
  accounts = new Accounts(site);
  api = await startApi(site, { routes: [mirror] });
});

const status = async (key: string, server = api): Promise<number> => (await server.ask('/v1/mirror', { key })).status;

async function callerOf(key: string): Promise<Caller> {
  await api.local.refresh();
  expect(await status(key)).toBe(200);
  return caller!;
}

async function idOf(): Promise<string> {
  return (await listKeys(site.pool)).at(-1)!.id;
}

describe('a key', () => {
  test('is good in every process within two seconds of being made', async () => {
    const key = await accounts.key();
    await eventually(async () => { expect(await status(key)).toBe(200); }, { timeoutMs: 2_000 });
  });

  test('that is revoked ends within five seconds, though it is used all the while', async () => {
    const key = await accounts.key();
    await callerOf(key);
    await revokeKeys(site.pool, [await idOf()]);
    await accounts.publish();
    const revokedAt = performance.now();
    await eventually(async () => { expect(await status(key)).toBe(401); }, { timeoutMs: 5_000 });
    expect(performance.now() - revokedAt).toBeLessThan(5_000);
    expect(await status(key)).toBe(401);
  });

  test('that expires ends then', async () => {
    const key = await accounts.key({ expiresAt: Date.now() + 2_000 });
    expect((await callerOf(key)).expiresAt).toBeLessThanOrEqual(Date.now() + 2_000);
    await eventually(async () => { expect(await status(key)).toBe(401); }, { timeoutMs: 3_000 });
    expect((await problemOf(await api.ask('/v1/mirror', { key }))).code).toBe('credential_refused');
  });

  test('is in Redis as a hash alone', async () => {
    const key = await accounts.key();
    const published = JSON.stringify(await site.redis.hgetall(ACCOUNTS_KEY));
    expect(published).not.toContain(key);
    expect(published).not.toContain(key.slice(17));
  });

  test.each([
    ['read', 'viewer', ['read'], false],
    ['write', 'editor', ['write'], true],
    ['admin', 'admin', ['read', 'write', 'admin'], true],
  ] as const)('of the scope %s is a %s', async (scope, role, scopes, mayWrite) => {
    const found = await callerOf(await accounts.key({ scopes: [scope] }));
    expect([found.role, [...found.scopes], found.mayWrite('any')]).toEqual([role, scopes, mayWrite]);
    expect(found.visibility).toEqual({ kind: 'all' });
    expect(found.id).toBe(`key:${await idOf()}`);
  });

  test('with one letter changed is none', async () => {
    const key = await accounts.key();
    await callerOf(key);
    for (let at = 17; at < key.length; at += 7) {
      const other = key[at] === 'A' ? 'B' : 'A';
      expect(await status(`${key.slice(0, at)}${other}${key.slice(at + 1)}`)).toBe(401);
    }
  });
});

describe('grants', () => {
  test('of devices and groups reach them, and nothing else; members come and go', async () => {
    await addDevices(site.pool, 'a', 'b', 'c', 'd');
    const group = await addGroup(site.pool, 'fleet', 'b');
    const key = await accounts.key({ scopes: ['read', 'write'], grants: { all: false, devices: ['a', 'not registered'], groups: [group] } });
    const writable = async (): Promise<string[]> => {
      const { mayWrite } = await callerOf(key);
      return ['a', 'b', 'c', 'd', 'not registered'].filter((id) => mayWrite(id));
    };
    expect((await callerOf(key)).visibility).toEqual({ kind: 'granted', devices: ['a', 'not registered'], groups: [group] });
    expect(await writable()).toEqual(['a', 'b', 'not registered']);
    await join(site.pool, group, 'c');
    await leave(site.pool, group, 'b');
    await accounts.publish();
    expect(await writable()).toEqual(['a', 'c', 'not registered']);
  });

  test('of nothing reach nothing', async () => {
    const { mayWrite, visibility } = await callerOf(await accounts.key({ scopes: ['read', 'write'], grants: { all: false, devices: [], groups: [] } }));
    expect([mayWrite('a'), visibility]).toEqual([false, { kind: 'granted', devices: [], groups: [] }]);
  });

  test('hold in the live server too: devices, groups, and members of groups', async () => {
    await addDevices(site.pool, 'a', 'b', 'c');
    const group = await addGroup(site.pool, 'fleet', 'b');
    const other = await addGroup(site.pool, 'others', 'c');
    const key = await accounts.key({ grants: { all: false, devices: ['a'], groups: [group] } });
    const blind = await accounts.key({ scopes: ['write'] });
    await api.local.refresh();
    const live = await startLive(site, { provider: () => api.local.provider });
    const viewer = await connect(live.url, { headers: { authorization: `Bearer ${key}` } });
    const types: Record<string, string> = {};
    for (const topic of ['device:a', 'device:b', 'device:c', `group:${group}`, `group:${other}`, '*']) types[topic] = (await viewer.subscribe(topic)).type;
    expect(types).toEqual({
      'device:a': 'subscribed', 'device:b': 'subscribed', 'device:c': 'error', [`group:${group}`]: 'subscribed', [`group:${other}`]: 'error', '*': 'error',
    });
    const writer = await connect(live.url, { headers: { authorization: `Bearer ${blind}` } });
    expect(await writer.subscribe('device:a')).toMatchObject({ type: 'error', code: 'forbidden' });
    // A member that leaves takes its subscription along, and a key that is revoked takes all.
    await leave(site.pool, group, 'b');
    await accounts.publish();
    await api.local.refresh();
    expect(await viewer.next('unsubscribed')).toMatchObject({ topic: 'device:b', reason: 'revoked' });
    await revokeKeys(site.pool, (await listKeys(site.pool)).map(({ id }) => id));
    await accounts.publish();
    await api.local.refresh();
    expect((await viewer.closed).code).toBe(4403);
  });
});

describe('what the processor publishes', () => {
  test('follows the tables at once, and is there again when Redis has lost it', async () => {
    await startCore(site, { DEVICE_LIST_REFRESH_MS: '1000' });
    await addDevices(site.pool, 'a');
    const group = await addGroup(site.pool, 'fleet');
    const key = await accounts.key({ scopes: ['write'], grants: { all: false, devices: [], groups: [group] } });
    await callerOf(key);
    expect(caller!.mayWrite('a')).toBe(false);
    await join(site.pool, group, 'a');
    await eventually(() => { expect(caller!.mayWrite('a')).toBe(true); }, { timeoutMs: 5_000 });
    await site.redis.del(ACCOUNTS_DIGEST_KEY, ACCOUNTS_KEY);
    expect(await status(key)).toBe(200);
    await eventually(async () => { expect(await site.redis.exists(ACCOUNTS_KEY)).toBe(1); });
    await site.pool.query('update api_keys set revoked_at = now()');
    await eventually(async () => { expect(await status(key)).toBe(401); }, { timeoutMs: 5_000 });
  });

  test('harms no other where one account cannot be read', async () => {
    const key = await accounts.key();
    await site.redis.multi().hset(ACCOUNTS_KEY, 'user:7', '{"kind":"user"}', 'key:x', 'no JSON').set(ACCOUNTS_DIGEST_KEY, 'another').exec();
    await callerOf(key);
  });
});

describe('while Redis is away', () => {
  let redis: PrivateServer;
  beforeAll(async () => { redis = await startPrivateRedis(); });
  afterAll(async () => { await redis.stop(); });

  test('what was known goes on, what was not is not let in, and it is made up for afterwards', async () => {
    const place = await openPreparedSite({ redisUrl: redis.url });
    const own = new Accounts(place);
    const key = await own.key();
    const before = await startApi(place, { routes: [mirror] });
    await eventually(async () => { expect(await status(key, before)).toBe(200); });
    const session = await before.ask('/v1/auth/session', { method: 'POST', body: JSON.stringify({ key }), headers: { 'content-type': 'application/json' } });
    const cookie = /odograph_session=([^;]+)/.exec(session.headers.get('set-cookie') ?? '')?.[1] ?? '';
    expect((await before.ask('/v1/mirror', { cookie })).status).toBe(200);
    await redis.stop();
    expect(await status(key, before)).toBe(200);
    expect((await before.ask('/v1/mirror', { cookie })).status).toBe(200);
    expect(await status(`odo_aaaaaaaaaaaa_${'A'.repeat(43)}`, before)).toBe(401);
    const login = await before.ask('/v1/auth/session', { method: 'POST', body: JSON.stringify({ key }), headers: { 'content-type': 'application/json' } });
    expect([login.status, login.headers.has('retry-after')]).toEqual([503, true]);
    const after = await startApi(place, { routes: [mirror] });
    expect(await status(TOKEN, after)).toBe(200);
    const unknown = await after.ask('/v1/mirror', { key });
    expect([unknown.status, (await problemOf(unknown)).code]).toEqual([503, 'authority_unavailable']);
    redis = await redis.again();
    // As core does; that Redis keeps nothing on its disk.
    await eventually(() => own.publish().then(() => true));
    await eventually(async () => { expect(await status(key, after)).toBe(200); });
  });
});
