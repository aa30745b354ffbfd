/**
 * What the fuzzer asks: the composed system with every route, over a real Redis and PostgreSQL, with devices, groups,
 * a history with rollups, and several kinds of callers. All of it ends with the test.
 */
import { Registry } from 'prom-client';
import { expect, onTestFinished } from 'vitest';
import { compose } from '../../../src/composition/system.ts';
import type { LogLine, Site } from '../../core/support.ts';
import { recordingLogger, settingsOf, value } from '../../core/support.ts';
import { addGroup } from '../../live/fixtures.ts';
import type { StorageName } from '../../query/support.ts';
import { STORAGES, openPrepared } from '../../query/support.ts';
import { eventually } from '../../support/eventually.ts';
import { Accounts, PASSWORD, TOKEN, cookieOf, post } from '../support.ts';
import type { ApiDocument } from './operations.ts';
import type { Words } from './schema-values.ts';
import { DEVICES, HIDDEN, wordsOf } from './words.ts';

export interface World {
  readonly port: number;
  readonly document: ApiDocument;
  /** Headers that say who calls, by the name of the kind. */
  readonly callers: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly words: Words;
  readonly lines: readonly LogLine[];
  /** `timescaledb` where the server of this run has it, else `partitions`. */
  readonly storage: StorageName;
}

const MINUTE_MS = 60_000;
/** Of every attribute that a record may have, the odd ones. */
const ATTRIBUTES = {
  ignition: true, power: 12.5, odometer: 1e12, 'a "quoted", name\n': 'a "quoted", value\n<&>', '🚚': '🚚', large: 1e308, small: 5e-324, text: '=1+1', __proto__x: 0,
  exact: { __bigint: '18446744073709551615' }, bytes: { __buffer_b64: 'AQID' },
};

function placeOf(n: number): object {
  if (n % 50 === 1) return { latitude: 90, longitude: -180 };
  if (n % 50 === 2) return { latitude: 5e-324, longitude: -1e-200 };
  return { latitude: 52 + n / 1_000, longitude: 13 + n / 1_000 };
}

/** Two days with gaps, jumps, places at the edge of the map and records without one, until now. */
function history(deviceId: string, now: number): object[] {
  return Array.from({ length: 300 }, (_, n) => ({
    deviceId, ts: now - n * 9 * MINUTE_MS - (n % 7) * 1_000, eventId: n % 3,
    ...(n % 5 === 0 ? {} : placeOf(n)), altitude: n % 11 === 0 ? null : n - 100, speed: n % 13 === 0 ? 3.4e38 : n % 90,
    satellites: n % 12, hdop: 0.9, course: n % 360,
    attributes: n % 4 === 0 ? {} : { ...ATTRIBUTES, ignition: n % 8 < 4, odometer: (300 - n) * 1_000 },
  }));
}

/** Written as a program would, and waited for until it is stored and rolled up. */
async function seed({ pool }: Site, url: string): Promise<void> {
  const now = Date.now();
  const records = [DEVICES.slice(0, 3), HIDDEN].flat().flatMap((deviceId) => history(deviceId, now));
  const { body, headers } = post(records, { authorization: `Bearer ${TOKEN}` });
  const response = await fetch(`${url}/v1/records`, { method: 'POST', body: body!, headers: headers! });
  expect(await response.json()).toMatchObject({ accepted: records.length, rejected: 0 });
  await eventually(async () => {
    expect(Number(await value(pool, 'select count(*) from positions'))).toBe(records.length);
    expect(Number(await value(pool, 'select count(*) from position_hours'))).toBeGreaterThan(100);
  }, { timeoutMs: 20_000 });
}

/** Asked once: five failures would lock the address. */
async function signIn(url: string): Promise<Readonly<Record<string, string>>> {
  const response = await fetch(`${url}/v1/auth/session`, post({ name: 'ada', password: PASSWORD }));
  expect(response.status).toBe(201);
  return { cookie: `odograph_session=${cookieOf(response)}`, origin: url };
}

async function callersOf(site: Site, url: string, group: string): Promise<World['callers']> {
  const accounts = new Accounts(site);
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
  const grants = { all: false, devices: ['fuzz-1'], groups: [group] };
  await accounts.user('ada', 'editor');
  const callers = {
    administrator: bearer(TOKEN),
    reader: bearer(await accounts.key({ scopes: ['read'] })),
    granted: bearer(await accounts.key({ scopes: ['read', 'write'], grants })),
    'without grants': bearer(await accounts.key({ scopes: ['read', 'write'], grants: { all: false, devices: [], groups: [] } })),
    writer: bearer(await accounts.key({ scopes: ['write'] })),
    stranger: bearer(`odo_aaaaaaaaaaaa_${'A'.repeat(43)}`),
    nobody: {},
  };
  // Written last: who knows it knows the others, and the user.
  await eventually(async () => {
    expect((await fetch(`${url}/v1/auth/me`, { headers: callers.writer })).status).toBe(200);
  });
  return { ...callers, session: await signIn(url) };
}

/** Those that lists give out; of another list than the one that is asked they are no good. */
async function cursorsOf(url: string): Promise<string[]> {
  const lists = ['devices', 'devices?sort=-name', 'devices?sort=lastSeenAt', 'groups', 'devices/fuzz-1/positions', 'positions/latest', 'summaries'];
  return Promise.all(lists.map(async (list) => {
    const address = `${url}/v1/${list}${list.includes('?') ? '&' : '?'}limit=1`;
    const response = await fetch(address, { headers: { authorization: `Bearer ${TOKEN}` } });
    const { next } = (await response.json()) as { next: string | null };
    expect(next, list).not.toBeNull();
    return next!;
  }));
}

export async function openWorld(): Promise<World> {
  const storage = STORAGES.at(-1) ?? 'partitions';
  const site = await openPrepared(storage);
  const settings = settingsOf(site, {
    POSITIONS_STORAGE: storage,
    ROLES: 'ingest,core,query', API_PORT: '0', API_HOST: '127.0.0.1', INGEST_LISTENERS: 'teltonika:0', INGEST_HOST: '127.0.0.1', API_PROXY_HOPS: '1',
    // What limits honest use is no part of this: a 503 here is a fault.
    INGEST_NEW_DEVICES_PER_MINUTE: '0', INGEST_HTTP_REQUESTS_PER_MINUTE: '0', API_ALLOWED_ORIGINS: 'http://listed.example',
  });
  const servers = { redisUrl: site.redisUrl, postgresUrl: site.postgresUrl, embedded: null, token: TOKEN };
  const { log, lines } = recordingLogger();
  const system = compose({ settings, servers, registry: new Registry(), log });
  onTestFinished(() => system.stop());
  await Promise.all(system.roles.map((role) => role.start()));
  const { port } = system.api!;
  const url = `http://127.0.0.1:${port}`;
  await seed(site, url);
  const groups = [await addGroup(site.pool, 'fleet "one", <&> 🚚', 'fuzz-1', 'fuzz-2'), await addGroup(site.pool, 'empty')];
  const { document } = await system.api!.described();
  const callers = await callersOf(site, url, groups[0]!);
  const words = wordsOf(groups, await cursorsOf(url));
  return { port, document: document as ApiDocument, callers, words, lines, storage };
}
