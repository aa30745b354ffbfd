/** The HTTP API with a real Directus as the authority: which groups and devices there are for whom. */
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Authority } from '../../src/auth/authority.ts';
import { directusProvider } from '../../src/auth/directus/provider.ts';
import { createApiServer } from '../../src/http/server.ts';
import { createReadPool } from '../../src/query/database.ts';
import { createQuery } from '../../src/query/query.ts';
import { openSite, recordingLogger, settingsOf } from '../core/support.ts';
import { eventually } from '../support/eventually.ts';
import type { SeededDirectus } from './support/seeded.ts';
import { startSeededDirectus } from './support/seeded.ts';

type UserName = keyof SeededDirectus['fleet']['users'];
interface GroupItem { readonly id: string; readonly name: string; readonly devices: number }

let seeded: SeededDirectus;
beforeAll(async () => { seeded = await startSeededDirectus(); });
afterAll(() => seeded.stop());

/** @returns what asks in the name of a user */
async function startApi(): Promise<(path: string, as: UserName) => Promise<{ status: number; json: unknown }>> {
  const site = await openSite({ postgresUrl: seeded.postgresUrl });
  const baseUrl = seeded.directus.url;
  const settings = settingsOf(site, {
    AUTH_PROVIDER: 'directus', DIRECTUS_BASE_URL: baseUrl, API_PORT: '0', API_HOST: '127.0.0.1',
    DIRECTUS_AUTH_TIMEOUT_MS: '500', DIRECTUS_AUTHZ_TIMEOUT_MS: '500', LIVE_AUTHZ_REVALIDATE_MS: '3000',
  });
  const { log } = recordingLogger();
  const registry = new Registry();
  const authority = new Authority({
    settings, registry, log,
    provider: ({ directusAsked: onRequest, directusWatch: onWatch }) =>
      directusProvider({ settings, baseUrl, onRequest, onWatch }),
  });
  const pool = createReadPool(settings, seeded.postgresUrl, () => undefined);
  const { role, routes } = createQuery({ settings, pool, redis: site.redis, registry, log });
  const api = createApiServer({ settings, registry, log, authority, signIn: null, routes });
  onTestFinished(async () => {
    await api.stop(AbortSignal.timeout(1_000));
    authority.stop();
    await role.stop();
    await pool.end();
  });
  await api.listen();
  return async (path, as) => {
    const { token } = seeded.fleet.users[as];
    const response = await fetch(`http://127.0.0.1:${api.port}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, json: await response.json() };
  };
}

test('each user is shown the groups that Directus lets him read, with those of their devices', async () => {
  const ask = await startApi();
  const { groups: { north, south }, devices } = seeded.fleet;
  const groups = async (as: UserName): Promise<unknown[]> =>
    ((await ask('/v1/groups', as)).json as { items: GroupItem[] }).items.map(({ name, devices: count }) => [name, count]);
  const ofNorth = ['North', devices.north.length];
  const ofSouth = ['South', devices.south.length + 1];
  expect(await groups('north')).toEqual([ofNorth]);
  expect(await groups('quiet')).toEqual([ofNorth]);
  expect(await groups('south')).toEqual([ofSouth]);
  expect((await groups('full')).toSorted()).toEqual([ofNorth, ofSouth]);
  expect(await groups('listed')).toEqual([]);
  const totals = async (group: string, as: UserName): Promise<number> => (await ask(`/v1/totals?groups=${group}`, as)).status;
  expect([await totals(north, 'north'), await totals(south, 'north')]).toEqual([200, 404]);
  expect([await totals(north, 'full'), await totals(south, 'full')]).toEqual([200, 200]);
  // One of its devices is his, and the group is not.
  expect(await totals(north, 'listed')).toBe(404);
  for (const list of ['/v1/devices?', '/v1/positions/latest?']) {
    const members = async (group: string, as: UserName): Promise<number> => (await ask(`${list}group=${group}`, as)).status;
    expect([await members(north, 'north'), await members(south, 'north')]).toEqual([200, 404]);
  }
});

test('a group that is taken away is gone when the decision is too old', async () => {
  const ask = await startApi();
  const { users, groups: { north, south } } = seeded.fleet;
  const ids = async (): Promise<string[]> =>
    ((await ask('/v1/groups', 'north')).json as { items: GroupItem[] }).items.map(({ id }) => id);
  expect(await ids()).toEqual([north]);
  await seeded.admin.users.patch(users.north.id, { fleet: south });
  await eventually(async () => { expect(await ids()).toEqual([south]); }, { timeoutMs: 10_000 });
  await seeded.admin.users.patch(users.north.id, { fleet: north });
});
