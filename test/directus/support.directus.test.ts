/** What suites rely on of the Directus that they are given, its users and their rights. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { Permission } from './support/admin.ts';
import { DirectusApi, DirectusRefusal } from './support/api.ts';
import { insertUsers } from './support/fleet-sql.ts';
import type { SeededDirectus } from './support/seeded.ts';
import { startSeededDirectus } from './support/seeded.ts';
import { logIn, logInSession, logOut, logOutSession, refresh, refreshSession } from './support/sessions.ts';
import { systemEvents } from './support/system-events.ts';

let seeded: SeededDirectus;

beforeAll(async () => {
  seeded = await startSeededDirectus();
});

afterAll(() => seeded.stop());

type Name = keyof SeededDirectus['fleet']['users'];

function as(name: Name): DirectusApi {
  return new DirectusApi(seeded.directus.url, { token: seeded.fleet.users[name].token });
}

const NAMES = ['north', 'south', 'quiet', 'listed', 'full', 'nothing', 'service'] as const;

/** null: the collection is closed to the user. */
function visibleDevices(name: Name): readonly string[] | null {
  const { north, south, moved, listed, all } = seeded.fleet.devices;
  const visible = { north, south: [...south, moved], quiet: north, listed, full: all, nothing: null, service: null };
  return visible[name];
}

function visibleGroups(name: Name): readonly string[] | null {
  const { north, south } = seeded.fleet.groups;
  const visible = { north: [north], south: [south], quiet: [north], full: [north, south] };
  return name in visible ? visible[name as keyof typeof visible] : null;
}

function sorted(ids: readonly string[] | null): readonly string[] | null {
  return ids && [...ids].sort();
}

/** null: forbidden. */
async function orForbidden(ids: Promise<readonly string[]>): Promise<readonly string[] | null> {
  try {
    return sorted(await ids);
  } catch (error) {
    if (error instanceof DirectusRefusal && error.answer.code === 'FORBIDDEN') return null;
    throw error;
  }
}

async function devicesOf(api: DirectusApi): Promise<readonly string[] | null> {
  return await orForbidden(api.readable('devices', 'unique_id', seeded.fleet.devices.all));
}

async function groupsOf(api: DirectusApi): Promise<readonly string[] | null> {
  return await orForbidden(api.readable('groups', 'id', Object.values(seeded.fleet.groups)));
}

test.each(NAMES)('%s reads the trackers and groups of its rights and no others', async (name) => {
  expect(await devicesOf(as(name))).toEqual(sorted(visibleDevices(name)));
  expect(await groupsOf(as(name))).toEqual(sorted(visibleGroups(name)));
});

test.each(NAMES)('%s reads its own status and role where it may', async (name) => {
  const { id, role } = seeded.fleet.users[name];
  const silent = name === 'quiet' || name === 'nothing';
  const answer = await as(name).ask('GET', '/users/me?fields=id,status,role');
  expect(answer.data).toEqual(silent ? { id } : { id, status: 'active', role });
});

test('a user is the same by static token, JWT and session cookie, until it logs out', async () => {
  const { directus: { url }, fleet } = seeded;
  const { email, password } = fleet.users.north;
  const { refreshToken } = await logIn(url, email, password);
  const renewed = await refresh(url, refreshToken);
  const cookie = await refreshSession(url, await logInSession(url, email, password));
  const bySession = new DirectusApi(url, { cookie });
  expect(await devicesOf(new DirectusApi(url, { token: renewed.accessToken }))).toEqual(fleet.devices.north);
  expect(await devicesOf(bySession)).toEqual(fleet.devices.north);
  await logOutSession(url, cookie);
  expect(await bySession.ask('GET', '/users/me')).toMatchObject({ status: 401, code: 'INVALID_CREDENTIALS' });
  await logOut(url, renewed.refreshToken);
  await expect(refresh(url, renewed.refreshToken)).rejects.toThrow('INVALID_CREDENTIALS');
});

test('a suspended user has no token until it is activated', async () => {
  const { admin, fleet } = seeded;
  await admin.suspend(fleet.users.south.id);
  expect(await as('south').ask('GET', '/users/me')).toMatchObject({ status: 401, code: 'INVALID_CREDENTIALS' });
  await admin.activate(fleet.users.south.id);
  expect(await as('south').ask('GET', '/users/me')).toMatchObject({ status: 200 });
});

test('rights that are given and taken away count at once', async () => {
  const { admin, fleet } = seeded;
  const access = await admin.access.create({ policy: fleet.policies.full, user: fleet.users.nothing.id });
  expect(await devicesOf(as('nothing'))).toEqual(fleet.devices.all);
  await admin.access.delete(access);
  expect(await devicesOf(as('nothing'))).toBeNull();
  const filter = { policy: { _eq: fleet.policies.fleet }, collection: { _eq: 'devices' } };
  const [{ id, permissions }] = (await admin.permissions.find(filter)) as [Permission];
  await admin.permissions.patch(id, { permissions: { unique_id: { _eq: fleet.devices.single } } });
  expect(await devicesOf(as('north'))).toEqual([fleet.devices.single]);
  await admin.permissions.patch(id, { permissions });
  expect(await devicesOf(as('north'))).toEqual(fleet.devices.north);
});

test('a thousand users are made in the table, each with a token that is good at once', async () => {
  const { directus, fleet, postgresUrl } = seeded;
  const users = await insertUsers(postgresUrl, 1000, { role: fleet.roles.fleet, fleet: fleet.groups.north });
  const last = new DirectusApi(directus.url, { token: users.at(-1)!.token });
  expect(users).toHaveLength(1000);
  expect(await devicesOf(last)).toEqual(fleet.devices.north);
  expect((await last.ask('GET', '/users/me?fields=id,status')).data).toEqual({ id: users.at(-1)!.id, status: 'active' });
});

test('the service account reads who is active, and is told when that or a right changes', async () => {
  const { admin, directus, fleet } = seeded;
  const { north, nothing, service } = fleet.users;
  const query = { filter: { id: { _in: [north.id] } }, fields: ['id', 'status', 'role'], limit: 1 };
  const found = await as('service').ask('SEARCH', '/users', { query });
  expect(found.data).toEqual([{ id: north.id, status: 'active', role: fleet.roles.fleet }]);
  const { seen, close } = await systemEvents(directus.url, service.token);
  onTestFinished(close);
  await admin.suspend(north.id);
  await admin.activate(north.id);
  const access = await admin.access.create({ policy: fleet.policies.full, user: nothing.id });
  await admin.access.delete(access);
  const updated = { collection: 'directus_users', event: 'update', data: [{ id: north.id }] };
  await eventually(() => {
    expect(seen.filter(({ collection }) => collection === 'directus_users')).toEqual([updated, updated]);
    expect(seen).toContainEqual({ collection: 'directus_access', event: 'create', data: [{ id: access }] });
    expect(seen).toContainEqual({ collection: 'directus_access', event: 'delete', data: [access] });
  });
});
