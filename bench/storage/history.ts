/**
 * Databases with positions that are stored already when a measurement begins: made by SQL, as many on each of thirty
 * days, the last of which is the day that is written to, from noon on. Days that the default of
 * POSITIONS_COMPRESS_AFTER_DAYS would have compressed are compressed. With `--data` they are kept for the next run: a
 * hundred million rows take half an hour.
 */
import type { Client } from 'pg';
import type { BenchOptions } from '../benchmark.ts';
import { createBenchDatabase, prepareBenchDatabase, withClient } from '../support/database.ts';
import { FIRST_TS, RECORDS_OF_A_DAY, imeisOf } from '../support/sample-frames.ts';

const DAYS = 30;
const UNCOMPRESSED_DAYS = 7;
const DAY_MS = 86_400_000;
/** Days filled at the same time. */
const SESSIONS = 2;
/** No record of a new day falls on one of the history. */
const OFFSET_MS = 500;

/** The first record of `sample-frames.ts` that is behind the history. */
const NOON = RECORDS_OF_A_DAY / 2;

/** Of a history that is made by this run. */
const HISTORY_END = FIRST_TS + DAY_MS / 2;

/** The comment of a database whose history is filled, with the end of it: a later run may be on another day. */
const WHOLE = 'history until ';
const COMMENT_OF = "select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1";

export interface History {
  readonly devices: number;
  readonly rows: number;
  /** Absent: a hypertable where the server has TimescaleDB. */
  readonly storage?: 'timescaledb' | 'partitions';
}

/** The attributes of `sample-frames.ts`, with values that change as theirs do; made once, for making them is slow. */
const VARIANTS = `
  create unlogged table if not exists history_variants as
  select n, 54.6872 + n * 0.00009 as latitude, 25.2797 + n * 0.00012 as longitude, (100 + n % 40)::real as altitude,
    ((n * 3) % 360)::real as course, (40 + n % 30)::real as speed, (0.7 + (n % 5) * 0.1)::real as hdop,
    (8 + n % 6)::smallint as satellites,
    jsonb_build_object('ignition', true, 'motion', true, 'rssi', 3 + n % 3, 'gnssStatus', 1, 'batteryLevel', 97,
      'power', 13.8 + (n % 300) * 0.001, 'battery', 4.05 + (n % 20) * 0.001, 'pdop', 1.2 + (n % 8) * 0.1,
      'hdop', 0.7 + (n % 5) * 0.1, 'gnssSpeed', 40 + n % 30, 'odometer', 42872421 + n * 14, 'operator', 24602)
      as attributes
  from generate_series(0, 2999) n`;

const INSERT = `
  insert into positions (device_id, ts, event_id, received_at, latitude, longitude, altitude, course, speed, hdop,
    satellites, valid, priority, attributes)
  select d, at, 0, at + interval '1 second', latitude, longitude, altitude, course, speed, hdop, satellites, true, 0,
    attributes
  from generate_series(0, $3::int - 1) i
  join history_variants on n = i % 3000
  cross join generate_series(1, $2::int) d
  cross join lateral (select to_timestamp($1 / 1000.0) + i * ($4::interval / $3::int) as at) as moment
  order by i, d`;

const COMPRESS = `
  select compress_chunk(format('%I.%I', chunk_schema, chunk_name)::regclass)
  from timescaledb_information.chunks where hypertable_name = 'positions' and range_start = $1`;

/** What core would have kept beside them: all have a place, so the newest record is the newest with one. */
const STATE = `
  insert into device_state (device_id, ts, event_id, received_at, latitude, longitude, altitude, course, speed, hdop,
    satellites, valid, priority, attributes, fix_ts, fix_event_id, records, first_ts, last_received_at)
  select d.id, p.ts, p.event_id, p.received_at, latitude, longitude, altitude, course, speed, hdop, satellites, valid,
    priority, attributes, p.ts, p.event_id, $1::bigint, $2::timestamptz, p.received_at
  from devices d
  cross join lateral (
    select * from positions where device_id = d.id and ts < $3::timestamptz and ts >= $3::timestamptz - interval '12 hours'
    order by ts desc, event_id desc limit 1) p
  on conflict (device_id) do nothing`;

async function isHypertable(client: Client): Promise<boolean> {
  const { rows } = await client.query('select from pg_extension where extname = \'timescaledb\'');
  if (rows.length === 0) return false;
  const found = await client.query("select from timescaledb_information.hypertables where hypertable_name = 'positions'");
  return found.rows.length > 0;
}

/** Of each device. */
function recordsOfADay({ rows, devices }: History): number {
  return Math.ceil(rows / DAYS / devices);
}

/** The end of a history is noon of its last day, epoch milliseconds. */
async function storeState(client: Client, history: History, end: number): Promise<void> {
  const first = end - DAY_MS / 2 - (DAYS - 1) * DAY_MS + OFFSET_MS;
  await client.query(STATE, [DAYS * recordsOfADay(history), ...[first, end].map((ms) => new Date(ms).toISOString())]);
}

/** The first and the last instant of a history, epoch milliseconds. */
export interface HistoryRange {
  readonly from: number;
  readonly to: number;
}

/** Takes away what was written behind the history, and the minutes of it. */
export async function cutToHistory(client: Client, history: History): Promise<HistoryRange> {
  const { rows } = await client.query<{ comment: string }>(COMMENT_OF, [client.database]);
  const end = Date.parse(rows[0]?.comment.slice(WHOLE.length) ?? '');
  await client.query('delete from positions where ts >= $1', [new Date(end).toISOString()]);
  await client.query('delete from minute_rollups where bucket >= $1', [new Date(end).toISOString()]);
  await client.query('update rollup_state set minutes_to = rolled_to');
  await client.query('truncate device_state');
  await storeState(client, history, end);
  return { from: end - DAY_MS / 2 - (DAYS - 1) * DAY_MS, to: end };
}

async function fillDay(client: Client, day: number, each: number, devices: number): Promise<void> {
  const begin = FIRST_TS - day * DAY_MS;
  await client.query(INSERT, [begin + OFFSET_MS, devices, each, day === 0 ? '12 hours' : '1 day']);
  if (day < UNCOMPRESSED_DAYS || !(await isHypertable(client))) return;
  await client.query(COMPRESS, [new Date(begin).toISOString()]);
}

/** Rows of devices 1 to `devices` as a history has them: `each` of them, spread over a span from `begin` on. */
export async function insertRows(
  client: Client, begin: number, devices: number, each: number, span: string,
): Promise<void> {
  await client.query(VARIANTS);
  await client.query(INSERT, [begin, devices, each, span]);
}

/** About `rows` rows of these devices. */
async function fill(url: string, history: History): Promise<void> {
  const { devices } = history;
  const each = recordsOfADay(history);
  await withClient(url, (client) => client.query(VARIANTS));
  let day = DAYS;
  const fillDays = (): Promise<void> => withClient(url, async (client) => {
    for (day -= 1; day >= 0; day -= 1) await fillDay(client, day, each, devices);
  });
  await Promise.all(Array.from({ length: SESSIONS }, fillDays));
  await withClient(url, async (client) => {
    await storeState(client, history, HISTORY_END);
    await client.query('vacuum (analyze) positions');
    await client.query('checkpoint');
  });
}

/** @returns the URL of a database with this history and the tables of this version, filled unless a run before has */
export async function historyDatabase({ servers, say }: BenchOptions, history: History): Promise<string> {
  const { devices, rows, storage } = history;
  const name = `history_${storage ?? 'default'}_${devices}_${rows}`;
  const env = storage === undefined ? {} : { POSITIONS_STORAGE: storage };
  const url = new URL(servers.postgres.url);
  url.pathname = `/${name}`;
  return await withClient(servers.postgres.url, async (client) => {
    const found = await client.query<{ comment: string | null }>(COMMENT_OF, [name]);
    if (found.rows[0]?.comment?.startsWith(WHOLE) === true) {
      await prepareBenchDatabase(url.href, env);
      return url.href;
    }
    say(`  ${devices.toLocaleString('en')} devices, ${rows.toLocaleString('en')} rows: filling`);
    await client.query(`drop database if exists ${name} with (force)`);
    await createBenchDatabase(servers, imeisOf(devices), { name, env });
    await fill(url.href, history);
    await client.query(`comment on database ${name} is '${WHOLE}${new Date(HISTORY_END).toISOString()}'`);
    return url.href;
  });
}

export async function storageOf(client: Client): Promise<string> {
  const { rows: [found] } = await client.query<{ relkind: string }>("select relkind from pg_class where oid = 'positions'::regclass");
  return found?.relkind === 'p' ? 'native partitions' : 'TimescaleDB';
}

/** The first record of `sample-frames.ts`, which has one a second, that is not stored yet. */
export async function nextRecord(client: Client): Promise<number> {
  const { rows } = await client.query<{ last: Date | null }>('select max(ts) as last from device_state');
  const last = rows[0]?.last?.getTime() ?? 0;
  return Math.max(NOON, Math.floor((last - FIRST_TS) / 1_000) + 1);
}
