/** The example of `docs/directus.md`, request by request on a fresh Directus, and what its users then may follow. */
import { readFile } from 'node:fs/promises';
import { beforeAll, afterAll, expect, test } from 'vitest';
import { directusProvider } from '../../src/auth/directus/provider.ts';
import { openSite } from '../core/support.ts';
import type { TestLive } from '../live/support.ts';
import { signedIn, startLive } from '../live/support.ts';
import { eventually } from '../support/eventually.ts';
import { DirectusAdmin } from './support/admin.ts';
import type { SeededUser } from './support/seed.ts';
import { addToGroup, insertDevices, insertGroups, query, uniqueIds } from './support/fleet-sql.ts';
import { createOdographDatabase } from './support/seeded.ts';
import { startDirectus } from './support/server.ts';

const GUIDE = new URL('../../docs/directus.md', import.meta.url);
const GROUP = '5b1d2c3e-0000-4000-8000-000000000001';
const [mine = '', another = '', gone = ''] = uniqueIds(3);

let url: string;
let postgresUrl: string;
let admin: DirectusAdmin;
let stop: () => Promise<void>;

interface Step {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
}

function stepsOf(guide: string): readonly Step[] {
  return [...guide.matchAll(/^```http\n(\w+) (\S+)\n\n([^]*?)\n```$/gm)].map(([, method = '', path = '', body = '']) =>
    ({ method, path, body: JSON.parse(body) as Step['body'] }));
}

let steps: readonly Step[];
let guide: string;

/** What the guide calls the role or policy, and its id. */
const idOf = (path: string, name: string): string =>
  String(steps.find(({ path: at, body }) => at === path && body.name === name)?.body.id);

beforeAll(async () => {
  const database = await createOdographDatabase();
  postgresUrl = database.url;
  await insertDevices(postgresUrl, [mine, another, gone]);
  await insertGroups(postgresUrl, { [GROUP]: 'North' });
  await addToGroup(postgresUrl, GROUP, [mine]);
  await addToGroup(postgresUrl, GROUP, [gone], { fromHours: -2, toHours: -1 });
  const directus = await startDirectus({ postgresUrl });
  ({ url } = directus);
  stop = async () => {
    await directus.stop();
    await database.drop();
  };
  admin = new DirectusAdmin(url);
  guide = await readFile(GUIDE, 'utf8');
  steps = stepsOf(guide);
  for (const { method, path, body } of steps) await admin.api.call(method, path, body);
});
afterAll(() => stop());

/** The token of a user whom the guide makes. */
const tokenOf = (email: string): string =>
  String(steps.find(({ path, body }) => path === '/users' && body.email === email)?.body.token);

/** A live server that has nobody to tell it of changes, and whose users say themselves what they are. */
async function startWithoutService(): Promise<TestLive> {
  const overrides = { AUTH_PROVIDER: 'directus', DIRECTUS_BASE_URL: url };
  return startLive(await openSite({ postgresUrl }), {
    overrides,
    provider: (events, settings) =>
      directusProvider({ settings, baseUrl: url, onRequest: events.directusAsked, onWatch: events.directusWatch }),
  });
}

async function start(): Promise<TestLive> {
  const service = tokenOf('odograph@example.com');
  const overrides = { AUTH_PROVIDER: 'directus', DIRECTUS_BASE_URL: url, DIRECTUS_SERVICE_TOKEN: service };
  const live = await startLive(await openSite({ postgresUrl }), {
    overrides,
    provider: (events, settings) =>
      directusProvider({ settings, baseUrl: url, onRequest: events.directusAsked, onWatch: events.directusWatch }),
  });
  await eventually(async () => { expect(await live.metric('processor_live_directus_watching')).toBe(1); });
  return live;
}

async function addUser(name: string, more: Partial<SeededUser & { fleet: string }>): Promise<string> {
  const token = `static-token-of-${name}`;
  await admin.users.create({ email: `${name}@example.com`, status: 'active', token, ...more });
  return token;
}

test('a user of a fleet follows the devices that are in it now, and the fleet, and nothing else', async () => {
  const live = await start();
  const token = await addUser('driver', { role: idOf('/roles', 'Fleet'), fleet: GROUP });
  const viewer = await signedIn(live.url, token);
  for (const topic of [`device:${mine}`, `group:${GROUP}`]) expect(await viewer.subscribe(topic)).toMatchObject({ type: 'subscribed' });
  for (const topic of [`device:${another}`, `device:${gone}`, '*']) expect(await viewer.subscribe(topic)).toMatchObject({ code: 'forbidden' });
});

test('a user of no fleet follows nothing', async () => {
  const live = await start();
  const viewer = await signedIn(live.url, await addUser('newcomer', { role: idOf('/roles', 'Fleet') }));
  for (const topic of [`device:${mine}`, `group:${GROUP}`, '*']) expect(await viewer.subscribe(topic)).toMatchObject({ code: 'forbidden' });
});

test.each([['with', start], ['without', startWithoutService]])(
  'the users of the example follow the fleet and its van, or everything, %s a service account', async (_what, begin) => {
    const live = await begin();
    const topics = /topics=(group:\S+),(device:\d+)'/.exec(guide)?.slice(1) ?? [];
    expect(topics).toHaveLength(2);
    const viewer = await signedIn(live.url, tokenOf('north@example.com'));
    for (const topic of topics) expect(await viewer.subscribe(topic)).toMatchObject({ type: 'subscribed', topic });
    expect(await viewer.subscribe('*')).toMatchObject({ code: 'forbidden' });
    const dispatch = await signedIn(live.url, tokenOf('dispatch@example.com'));
    expect(await dispatch.subscribe('*')).toMatchObject({ type: 'subscribed' });
  });

test('a group that is deleted takes its memberships with it, as before Directus knew of them', async () => {
  const keys = await query<{ confdeltype: string }>(
    postgresUrl, "select confdeltype from pg_constraint where conrelid = 'group_devices'::regclass and contype = 'f'");
  expect(keys.map(({ confdeltype }) => confdeltype)).toEqual(['c', 'c']);
});

test('the service account is told when a user is suspended, and the viewer ends', async () => {
  const live = await start();
  const token = await addUser('leaver', { role: idOf('/roles', 'Fleet'), fleet: GROUP });
  const viewer = await signedIn(live.url, token);
  await viewer.subscribe(`device:${mine}`);
  const [user] = await admin.users.find({ email: { _eq: 'leaver@example.com' } });
  await admin.suspend(user!.id);
  expect(await viewer.closed).toMatchObject({ code: 4403 });
});
