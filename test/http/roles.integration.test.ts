/** Every route, tried by every kind of caller: what this table does not allow is refused. */
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKey, revokeKeys } from '../../src/accounts/keys.ts';
import { publishAccounts } from '../../src/accounts/publish.ts';
import { createUser } from '../../src/accounts/users.ts';
import type { Scope } from '../../src/auth/access.ts';
import type { ScopedRoute } from '../../src/http/authentication.ts';
import { compose } from '../../src/composition/system.ts';
import type { System } from '../../src/composition/system.ts';
import { createPool } from '../../src/db/pool.ts';
import { prepareDatabase } from '../../src/db/schema.ts';
import { connectRedis, waitForRedis } from '../../src/shared/redis.ts';
import { recordingLogger, settingsOf } from '../core/support.ts';
import { createDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { createRedis } from '../support/redis.ts';
import { ALL, PASSWORD, TOKEN, cookieOf, post } from './support.ts';

const CALLERS = [
  'nobody', 'bad key', 'expired key', 'revoked key', 'viewer', 'editor', 'admin', 'read key', 'write key', 'admin key', 'administrator',
] as const;
type CallerKind = (typeof CALLERS)[number];

const NOT_LET_IN: readonly CallerKind[] = ['nobody', 'bad key', 'expired key', 'revoked key'];
const SIGNED_IN: readonly CallerKind[] = CALLERS.filter((caller) => !NOT_LET_IN.includes(caller));

const READERS: readonly CallerKind[] = SIGNED_IN.filter((caller) => caller !== 'write key');
const WRITERS: readonly CallerKind[] = SIGNED_IN.filter((caller) => caller !== 'viewer' && caller !== 'read key');

/** What a row says of a route: who gets past the door, and a request that gets past the rest. */
interface Row {
  readonly allowed: readonly CallerKind[];
  /** The path with its parameters filled in. */
  readonly path?: string;
  readonly body?: unknown;
}

/** A route that is not here fails the test. Pages and the document are for everybody. */
const ROUTES: Readonly<Record<string, Row>> = {
  'GET /v1/openapi.json': { allowed: CALLERS },
  'GET /v1/auth/me': { allowed: SIGNED_IN },
  'POST /v1/auth/session': { allowed: CALLERS, body: { key: TOKEN } },
  'DELETE /v1/auth/session': { allowed: CALLERS },
  'POST /v1/records': { allowed: WRITERS, body: { deviceId: 'one', ts: Date.now() } },
  'GET /v1/devices': { allowed: READERS },
  'GET /v1/devices/:deviceId': { allowed: READERS, path: '/v1/devices/one' },
  'GET /v1/devices/:deviceId/positions': { allowed: READERS, path: '/v1/devices/one/positions' },
  'GET /v1/devices/:deviceId/series': { allowed: READERS, path: '/v1/devices/one/series?name=speed&step=PT1H' },
  'GET /v1/devices/:deviceId/summaries': { allowed: READERS, path: '/v1/devices/one/summaries' },
  'GET /v1/groups': { allowed: READERS },
  'GET /v1/positions/latest': { allowed: READERS },
  'GET /v1/series': { allowed: READERS, path: '/v1/series?name=speed&step=PT1H' },
  'GET /v1/summaries': { allowed: READERS },
  'GET /v1/totals': { allowed: READERS },
};

let system: System;
let url: string;
let routes: readonly ScopedRoute[];
const headers = new Map<CallerKind, Record<string, string>>();
const cleanUp: (() => unknown)[] = [];

beforeAll(async () => {
  const database = await createDatabase();
  const { url: redisUrl } = await createRedis();
  const settings = settingsOf({ redisUrl, postgresUrl: database.url }, {
    ROLES: 'ingest,query', API_PORT: '0', API_HOST: '127.0.0.1', INGEST_LISTENERS: 'teltonika:0', INGEST_HOST: '127.0.0.1',
  });
  const pool = createPool(settings, database.url, 'test', () => undefined);
  const redis = connectRedis(redisUrl, { name: 'test', commandTimeoutMs: 5_000, onError: () => undefined });
  await waitForRedis(redis, AbortSignal.timeout(10_000));
  const { log } = recordingLogger();
  await prepareDatabase(pool, settings, log);
  const servers = { redisUrl, postgresUrl: database.url, embedded: null, token: TOKEN };
  system = compose({ settings, servers, registry: new Registry(), log });
  await Promise.all(system.roles.map((role) => role.start()));
  cleanUp.push(() => system.stop(), () => { redis.disconnect(); }, () => pool.end(), () => database.drop());
  url = `http://127.0.0.1:${system.api!.port}`;
  ({ routes } = await system.api!.described());

  const key = async (scopes: readonly Scope[], expiresAt: number | null = null) => {
    const made = await createKey(pool, { name: 'a test', scopes, grants: ALL, expiresAt });
    return { authorization: `Bearer ${made.key}`, id: made.info.id };
  };
  const bearer = async (...args: Parameters<typeof key>): Promise<Record<string, string>> => {
    const { authorization } = await key(...args);
    return { authorization };
  };
  headers.set('nobody', {});
  headers.set('bad key', { authorization: `Bearer odo_aaaaaaaaaaaa_${'A'.repeat(43)}` });
  headers.set('expired key', await bearer(['read', 'write'], Date.now() + 1));
  const revoked = await key(['read', 'write']);
  await revokeKeys(pool, [revoked.id]);
  headers.set('revoked key', { authorization: revoked.authorization });
  headers.set('read key', await bearer(['read']));
  headers.set('write key', await bearer(['write']));
  headers.set('admin key', await bearer(['admin']));
  headers.set('administrator', { authorization: `Bearer ${TOKEN}` });
  for (const role of ['viewer', 'editor', 'admin'] as const) await createUser(pool, { name: role, role, grants: ALL }, PASSWORD);
  await publishAccounts(pool, redis);
  // Keys and users come together. A login that is tried too early too often is locked.
  await eventually(async () => (await fetch(`${url}/v1/auth/me`, { headers: headers.get('admin key')! })).status === 200);
  for (const role of ['viewer', 'editor', 'admin'] as const) await signIn(role);
});

afterAll(async () => {
  for (const release of cleanUp) await release();
});

const isPage = (path: string): boolean => path === '/v1/docs' || path.startsWith('/v1/docs/');

test('every route has a row, and every row a route', () => {
  // A HEAD is a GET whose answer has no body; preflight requests belong to no route.
  const found = routes.filter(({ method, url: path }) => method !== 'HEAD' && !isPage(path)).map(({ method, url: path }) => `${method} ${path}`);
  expect([...new Set(found)].sort()).toEqual(Object.keys(ROUTES).sort());
});

describe.each(Object.entries(ROUTES))('%s', (route, { allowed, path, body }) => {
  const [method = '', pattern = ''] = route.split(' ');
  const ask = (caller: CallerKind): Promise<Response> => {
    const own = headers.get(caller)!;
    const content = body === undefined ? {} : { body: JSON.stringify(body), headers: { ...own, 'content-type': 'application/json' } };
    return fetch(`${url}${path ?? pattern}`, { method, headers: own, ...content });
  };

  test.each(CALLERS)('by %s', async (caller) => {
    const { status } = await ask(caller);
    if (allowed.includes(caller)) {
      expect([401, 403]).not.toContain(status);
      expect(status).toBeLessThan(500);
      // Signing out ends the session that the other rows go on with.
      if (route === 'DELETE /v1/auth/session' && 'cookie' in headers.get(caller)!) await signIn(caller);
    } else {
      expect(status).toBe(NOT_LET_IN.includes(caller) ? 401 : 403);
    }
  });
});

async function signIn(role: CallerKind): Promise<void> {
  const response = await fetch(`${url}/v1/auth/session`, post({ name: role, password: PASSWORD }));
  expect(response.status).toBe(201);
  headers.set(role, { cookie: `odograph_session=${cookieOf(response)}`, origin: url });
}
