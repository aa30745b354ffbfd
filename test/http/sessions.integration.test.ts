/** Signing in and out, and what a browser's session may do. */
import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { removeUser, setPassword } from '../../src/accounts/users.ts';
import { PROBLEM_RESPONSES } from '../../src/http/problem.ts';
import type { ApiRoutes } from '../../src/http/routes.ts';
import type { Site } from '../core/support.ts';
import { openPreparedSite } from '../live/support.ts';
import { eventually } from '../support/eventually.ts';
import type { TestApi } from './support.ts';
import { Accounts, PASSWORD, TOKEN, cookieOf, post, problemOf, startApi } from './support.ts';

const LISTED = 'https://fleet.example.com';

const notes: ApiRoutes = async (app) => {
  const schema = { operationId: 'createNote', summary: 'A note', tags: ['Devices'], response: { 200: z.any(), ...PROBLEM_RESPONSES } };
  app.post('/v1/notes', { config: { scope: 'write' }, schema }, () => ({ kept: true }));
};

let site: Site;
let accounts: Accounts;
let api: TestApi;
beforeEach(async () => {
  site = await openPreparedSite();
  accounts = new Accounts(site);
  await accounts.user('Ada', 'editor');
  api = await startApi(site, { routes: [notes], overrides: { API_ALLOWED_ORIGINS: LISTED } });
});

const signIn = (body: unknown = { name: 'ada', password: PASSWORD }, headers = {}): Promise<Response> =>
  api.ask('/v1/auth/session', post(body, headers));
const me = (cookie: string): Promise<Response> => api.ask('/v1/auth/me', { cookie });

async function signedIn(body?: unknown): Promise<string> {
  await api.local.refresh();
  const response = await signIn(body);
  expect(response.status).toBe(201);
  return cookieOf(response);
}

describe('signing in', () => {
  test('with a name and a password sets a cookie that no script can read', async () => {
    await signedIn();
    const response = await signIn();
    const { id, expiresAt } = (await response.json()) as { id: string; expiresAt: number };
    expect(id).toMatch(/^user:\d+$/);
    expect(Math.abs(expiresAt - Date.now() - 86_400_000)).toBeLessThan(60_000);
    const cookie = response.headers.get('set-cookie')!;
    expect(cookie).toMatch(/^odograph_session=[\w-]{43}; Path=\/; Expires=.*; HttpOnly; SameSite=Lax$/);
    expect(await (await me(cookieOf(response))).json()).toEqual({ id, role: 'editor', scopes: ['read', 'write'], reach: 'all', expiresAt });
  });

  test('keeps the hash of the session in Redis, for a day, and nothing that could be presented', async () => {
    const cookie = await signedIn();
    const [name = ''] = await site.redis.keys('session:*');
    expect(name).not.toContain(cookie);
    expect(await site.redis.get(name)).not.toContain(cookie);
    const ttlMs = await site.redis.pttl(name);
    expect(ttlMs).toBeGreaterThan(86_000_000);
    expect(ttlMs).toBeLessThanOrEqual(86_400_000);
  });

  test.each<[string, unknown]>([
    ['a wrong password', { name: 'ada', password: `${PASSWORD}!` }],
    ['a name that there is not', { name: 'bob', password: PASSWORD }],
    ['a wrong key', { key: 'odo_aaaaaaaaaaaa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
  ])('with %s is refused, all in the same words', async (_what, body) => {
    await signedIn();
    const response = await signIn(body);
    expect(response.status).toBe(401);
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(await problemOf(response)).toMatchObject({ code: 'credential_refused', detail: 'the name or the password, or the key, is not right' });
  });

  test('with a key, or the token of the administrator, opens a session of the same reach', async () => {
    const key = await accounts.key({ scopes: ['write'], expiresAt: Date.now() + 3_600_000 });
    const cookie = await signedIn({ key });
    const account = (await (await me(cookie)).json()) as { scopes: string[]; expiresAt: number };
    expect(account.scopes).toEqual(['write']);
    expect(account.expiresAt).toBeLessThanOrEqual(Date.now() + 3_600_000);
    expect(await (await me(await signedIn({ key: TOKEN }))).json()).toMatchObject({ id: 'administrator', role: 'admin' });
  });

  test.each([{ name: 'ada' }, { password: PASSWORD }, { name: 'ada', password: PASSWORD, key: 'x' }, {}, null, 'ada'])('with %j is no request', async (body) => {
    expect((await signIn(body)).status).toBe(400);
  });

  test('over https, as the proxy says, keeps the cookie to https', async () => {
    const proxied = await startApi(site, { overrides: { API_PROXY_HOPS: '1' } });
    const ask = (headers: Record<string, string>): Promise<Response> => proxied.ask('/v1/auth/session', post({ key: TOKEN }, headers));
    expect((await ask({ 'x-forwarded-for': '10.1.1.1', 'x-forwarded-proto': 'https' })).headers.get('set-cookie')).toContain('Secure');
    expect((await ask({ 'x-forwarded-for': '10.1.1.1', 'x-forwarded-proto': 'http' })).headers.get('set-cookie')).not.toContain('Secure');
    expect((await signIn({ key: TOKEN }, { 'x-forwarded-proto': 'https' })).headers.get('set-cookie')).not.toContain('Secure');
  });
});

describe('the address of failed logins', () => {
  const wrong = { name: 'ada', password: 'not the password' };

  test('is locked after five in a minute, for everybody there and in every process', async () => {
    await signedIn();
    const failures = await Promise.all(Array.from({ length: 5 }, () => signIn(wrong)));
    expect(failures.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
    const locked = await signIn();
    expect(locked.status).toBe(429);
    expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(locked.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(await problemOf(locked)).toMatchObject({ code: 'login_locked' });
    const other = await startApi(site);
    expect((await other.ask('/v1/auth/session', post({ key: TOKEN }))).status).toBe(429);
  });

  test('is not locked by logins that succeed', async () => {
    await signedIn();
    for (let login = 0; login < 8; login += 1) expect((await signIn()).status).toBe(201);
    expect(await site.redis.keys('login-failures:*')).toEqual([]);
  });

  test('is that of the client behind the proxy, and nobody can choose another', async () => {
    const proxied = await startApi(site, { overrides: { API_PROXY_HOPS: '1' } });
    const ask = (forwarded: string, key: string): Promise<Response> =>
      proxied.ask('/v1/auth/session', post({ key }, { 'x-forwarded-for': forwarded }));
    for (let failure = 0; failure < 5; failure += 1) await ask(`10.9.9.${failure}, 10.0.0.1`, 'wrong');
    expect((await ask('10.0.0.2', TOKEN)).status).toBe(201);
    expect((await ask('10.0.0.1', TOKEN)).status).toBe(429);
  });
});

describe('a session', () => {
  test('ends with a logout, here at once and elsewhere within seconds', async () => {
    const other = await startApi(site);
    const cookie = await signedIn();
    await eventually(async () => { expect((await other.ask('/v1/auth/me', { cookie })).status).toBe(200); });
    const loggedOut = await api.ask('/v1/auth/session', { method: 'DELETE', cookie, headers: { origin: api.url } });
    expect(loggedOut.status).toBe(204);
    expect(loggedOut.headers.get('set-cookie')).toMatch(/^odograph_session=; .*Expires=Thu, 01 Jan 1970/);
    expect((await me(cookie)).status).toBe(401);
    await eventually(async () => { expect((await other.ask('/v1/auth/me', { cookie })).status).toBe(401); }, { timeoutMs: 5_000 });
  });

  test('ends when its user has another password, or is removed', async () => {
    await accounts.user('Bob');
    const [ada, bob] = [await signedIn(), await signedIn({ name: 'BOB', password: PASSWORD })];
    expect([(await me(ada)).status, (await me(bob)).status]).toEqual([200, 200]);
    await setPassword(site.pool, 'Ada', 'quite another password');
    await removeUser(site.pool, 'bob');
    await accounts.publish();
    await eventually(async () => { expect((await me(ada)).status).toBe(401); }, { timeoutMs: 5_000 });
    await eventually(async () => { expect((await me(bob)).status).toBe(401); }, { timeoutMs: 5_000 });
  });

  test('ends by itself', async () => {
    const brief = await startApi(site, { overrides: { API_SESSION_TTL_MS: '10000' } });
    const response = await brief.ask('/v1/auth/session', post({ key: TOKEN }));
    const [name = ''] = await site.redis.keys('session:*');
    expect(await site.redis.pttl(name)).toBeLessThanOrEqual(10_000);
    expect(response.status).toBe(201);
  });

  test.each<[string, Record<string, string>, number]>([
    ['of its own page', {}, 200],
    ['of a listed page', { origin: LISTED }, 200],
    ['of another page', { origin: 'https://evil.example.com' }, 403],
    ['of a page that hides', { origin: 'null' }, 403],
    ['without an Origin', { origin: '' }, 403],
  ])('changes something in a request %s, or not', async (_what, { origin }, status) => {
    const cookie = await signedIn();
    const headers: Record<string, string> = origin === '' ? {} : { origin: origin ?? api.url };
    const response = await api.ask('/v1/notes', { ...post({}, headers), cookie });
    expect(response.status).toBe(status);
    if (status === 403) expect(await problemOf(response)).toMatchObject({ code: 'origin_refused' });
  });

  test('is not opened for a page of another origin', async () => {
    expect((await signIn({ key: TOKEN }, { origin: 'https://evil.example.com' })).status).toBe(403);
    expect((await signIn({ key: TOKEN }, { origin: LISTED })).status).toBe(201);
  });

  test('is no bearer token, and a key is no cookie', async () => {
    const cookie = await signedIn();
    expect((await api.ask('/v1/auth/me', { key: cookie })).status).toBe(401);
    expect((await me(await accounts.key())).status).toBe(401);
  });
});

test('a logout without a session is no error', async () => {
  expect((await api.ask('/v1/auth/session', { method: 'DELETE' })).status).toBe(204);
});
