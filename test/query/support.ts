/** The role query over a real database, asked over HTTP by callers that a test makes up. It ends with the test. */
import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import { expect, inject, onTestFinished } from 'vitest';
import { prepareDatabase } from '../../src/db/schema.ts';
import { createApplication } from '../../src/http/application.ts';
import type { Callers } from '../../src/http/authentication.ts';
import type { Caller, Visibility } from '../../src/http/caller.ts';
import { createHttpEvents } from '../../src/http/events.ts';
import { createHttpMetrics } from '../../src/observability/metrics/http.ts';
import { createReadPool } from '../../src/query/database.ts';
import { createQuery } from '../../src/query/query.ts';
import type { Settings } from '../../src/config/settings.ts';
import type { LogLine, Overrides, Site } from '../core/support.ts';
import { metric, openSite, recordingLogger, settingsOf } from '../core/support.ts';

export type StorageName = 'partitions' | 'timescaledb';

/** The kinds of storage that the server of this run has. */
export const STORAGES: readonly StorageName[] = inject('servers').timescaledb ? ['partitions', 'timescaledb'] : ['partitions'];

/** An empty database with the tables. */
export async function openPrepared(
  storage: StorageName = 'partitions',
  urls: Partial<Pick<Site, 'redisUrl' | 'postgresUrl'>> = {},
): Promise<Site> {
  const site = await openSite(urls);
  await prepareDatabase(site.pool, settingsOf(site, { POSITIONS_STORAGE: storage }), recordingLogger().log);
  return site;
}

function callerOf(id: string, visibility: Visibility): Caller {
  return { id, role: 'viewer', scopes: new Set(['read']), visibility, expiresAt: null, mayWrite: () => false };
}

/** The bearer is the name of a caller. */
function callersOf(known: Readonly<Record<string, Visibility>>): Callers {
  return {
    callerOf: ({ headers }) => {
      const name = headers.authorization?.replace('Bearer ', '') ?? '';
      const visibility = known[name];
      return Promise.resolve(visibility === undefined ? null : callerOf(name, visibility));
    },
  };
}

export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed. */
  readonly json: unknown;
}

export interface TestApi {
  /** `http://127.0.0.1:…` */
  readonly url: string;
  readonly settings: Settings;
  readonly registry: Registry;
  readonly lines: readonly LogLine[];
  /** The read-only connections. */
  readonly pool: Pool;
  /** Asks as a caller, `admin` where none is named. */
  ask(path: string, options?: { as?: string; headers?: Readonly<Record<string, string>> }): Promise<Asked>;
  metric(name: string, labels?: Overrides): Promise<number>;
}

const ALL: Visibility = { kind: 'all' };

export async function startApi(
  site: Pick<Site, 'redisUrl' | 'postgresUrl' | 'redis'>,
  { callers = {}, overrides = {} }: { callers?: Readonly<Record<string, Visibility>>; overrides?: Overrides } = {},
): Promise<TestApi> {
  const settings = settingsOf(site, { API_PORT: '0', API_HOST: '127.0.0.1', ...overrides });
  const { log, lines } = recordingLogger();
  const registry = new Registry();
  const pool = createReadPool(settings, site.postgresUrl, () => undefined);
  const { role, routes } = createQuery({ settings, pool, redis: site.redis, registry, log });
  const events = createHttpEvents(createHttpMetrics(registry));
  const known = callersOf({ admin: ALL, ...callers });
  const { app } = await createApplication({ settings, log, events, callers: known, routes });
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
    await role.stop();
    await pool.end();
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0, listenTextResolver: () => '' });
  const ask: TestApi['ask'] = async (path, { as = 'admin', headers = {} } = {}) => {
    const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${as}`, ...headers } });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true && text !== '';
    return {
      status: response.status, headers: response.headers, text,
      json: isJson && !response.headers.get('content-type')?.includes('ndjson') ? JSON.parse(text) : null,
    };
  };
  return { url, settings, registry, lines, pool, ask, metric: (name, labels) => metric(registry, name, labels) };
}

/** Registers devices, in this order. @returns their ids by identifier */
export async function addDevices(pool: Pool, ...deviceIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  for (const deviceId of deviceIds) {
    const { rows } = await pool.query<{ id: number }>(
      "insert into devices (unique_id, name, protocol) values ($1, 'Name of ' || $1, 'teltonika') returning id", [deviceId]);
    ids.set(deviceId, rows[0]?.id ?? 0);
  }
  return ids;
}

export interface SomeRecord {
  readonly ts: number | string;
  readonly eventId?: number;
  readonly latitude?: number | null;
  readonly longitude?: number | null;
  readonly altitude?: number | null;
  readonly speed?: number | null;
  /** JSON. */
  readonly attributes?: string;
}

/** Stores records of a device. `ts` is epoch milliseconds, or text for PostgreSQL. */
export async function addPositions(pool: Pool, id: number | undefined, records: readonly SomeRecord[]): Promise<void> {
  await pool.query(
    `insert into positions (device_id, ts, event_id, received_at, latitude, longitude, altitude, course, speed, hdop, satellites, valid, attributes)
     select $1, (r->>'ts')::timestamptz, (r->>'e')::int, (r->>'ts')::timestamptz + interval '1 second', (r->>'lat')::float8,
       (r->>'lon')::float8, (r->>'alt')::real, 90, (r->>'s')::real, 0.9, 9, r->>'lat' is not null, (r->>'a')::jsonb
     from json_array_elements($2::json) with ordinality as t (r, n)`,
    [id, JSON.stringify(records.map((one) => ({
      ts: typeof one.ts === 'number' ? new Date(one.ts).toISOString() : one.ts, e: one.eventId ?? 0,
      lat: one.latitude === undefined ? 52.5 : one.latitude, lon: one.longitude === undefined ? 13.4 : one.longitude,
      alt: one.altitude === undefined ? 34 : one.altitude, s: one.speed === undefined ? 50 : one.speed, a: one.attributes ?? '{}',
    })))],
  );
}

/** Makes the newest record of every device its state, as the processor does. */
export async function refreshStates(pool: Pool): Promise<void> {
  await pool.query(`
    insert into device_state (device_id, ts, event_id, received_at, valid, priority, attributes, fix_ts, fix_event_id,
      latitude, longitude, altitude, course, speed, hdop, satellites, records, first_ts, last_received_at)
    select n.device_id, n.ts, n.event_id, n.received_at, n.valid, n.priority, n.attributes, f.ts, f.event_id,
      f.latitude, f.longitude, f.altitude, f.course, f.speed, f.hdop, f.satellites, c.records, c.first_ts, c.last_received_at
    from (select distinct on (device_id) * from positions order by device_id, ts desc, event_id desc) n
    left join (
      select distinct on (device_id) * from positions where latitude is not null order by device_id, ts desc, event_id desc
    ) f using (device_id)
    join (
      select device_id, count(*) as records, min(ts) as first_ts, max(received_at) as last_received_at from positions group by 1
    ) c using (device_id)
    on conflict (device_id) do nothing`);
}

export interface PageOf<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
  readonly total?: number | null;
}

/** All pages from a path on, one after the other. */
export async function allPages<Item>(api: TestApi, path: string, as = 'admin'): Promise<Item[][]> {
  const pages: Item[][] = [];
  for (let next: string | null = ''; next !== null;) {
    const cursor: string = next === '' ? '' : `${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(next)}`;
    const { status, json, text } = await api.ask(`${path}${cursor}`, { as });
    expect(status, text).toBe(200);
    const page = json as PageOf<Item>;
    pages.push([...page.items]);
    ({ next } = page);
  }
  return pages;
}

/** The `field` and the status of a refusal. */
export function refusal({ status, json }: Asked): { status: number; code: string; fields: string[] } {
  const { code, errors = [] } = json as { code: string; errors?: { field: string }[] };
  return { status, code, fields: errors.map(({ field }) => field) };
}

/** Statements of the role query that run at the moment, on this database. */
export async function runningQuestions(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ query: string }>(
    `select query from pg_stat_activity
     where datname = current_database() and application_name like 'odograph/query/%' and state <> 'idle'`);
  return rows.map(({ query }) => query);
}

/** How many of those wait for a lock: not what comes before, and runs for a moment. */
export async function questionsAtALock(pool: Pool): Promise<number> {
  const { rows: [found] } = await pool.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
     where datname = current_database() and application_name like 'odograph/query/%' and wait_event_type = 'Lock'`);
  return found?.count ?? 0;
}
