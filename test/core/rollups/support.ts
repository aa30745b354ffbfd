/** Rollups in a database of a test's own: records of every kind, rounds, and what the answers must be. */
import type { Pool, PoolClient } from 'pg';
import { expect, onTestFinished } from 'vitest';
import type { PositionRow } from '../../../src/core/copy-rows.ts';
import type { RollupStats } from '../../../src/core/rollups/causes.ts';
import { keepRollups } from '../../../src/core/rollups/rollups.ts';
import { Repeats } from '../../../src/core/repeats.ts';
import { storePositions } from '../../../src/core/store.ts';
import type { SchemaSettings } from '../../../src/db/schema.ts';
import { prepareDatabase } from '../../../src/db/schema.ts';
import { Random as Generator } from '../../../src/simulator/random.ts';
import { openDatabase, recordingLog, SCHEMA_SETTINGS } from '../../db/fixture.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export type Random = () => number;

export function randomOf(seed: number): Random {
  const generator = new Generator(seed);
  return () => generator.next();
}

export function hourBefore(hours: number): number {
  return Math.floor(Date.now() / HOUR_MS) * HOUR_MS - hours * HOUR_MS;
}

export interface RollupDatabase {
  readonly pool: Pool;
  readonly url: string;
  readonly settings: SchemaSettings;
}

/** @param storage as POSITIONS_STORAGE */
export async function openRollups(storage: string, overrides: Partial<SchemaSettings> = {}): Promise<RollupDatabase> {
  const { pool, url } = await openDatabase();
  const settings = { ...SCHEMA_SETTINGS, POSITIONS_STORAGE: storage as SchemaSettings['POSITIONS_STORAGE'], ...overrides };
  await prepareDatabase(pool, settings, recordingLog());
  await pool.query('insert into devices (unique_id) select n::text from generate_series(1, 4) n');
  return { pool, url, settings };
}

/** As if everything before that hour had been rolled up, and nothing was there. */
export async function rolledUpTo(pool: Pool, hour: number): Promise<void> {
  await pool.query('update rollup_state set rolled_to = $1, minutes_to = $1, mark_before = $1', [new Date(hour).toISOString()]);
}

export interface RoundResult {
  readonly hours: Readonly<Record<'over' | 'late' | 'past', number>>;
  /** Transactions of minutes alone. */
  readonly minutes: number;
  readonly stats: RollupStats | undefined;
  readonly waited: boolean;
  readonly filled: boolean;
}

/** One round of the processor. */
export async function round(
  { pool, settings }: RollupDatabase,
  signal = new AbortController().signal,
): Promise<RoundResult> {
  const hours = { over: 0, late: 0, past: 0 };
  let minutes = 0;
  let [stats, waited, filled]: [RollupStats | undefined, boolean, boolean] = [undefined, false, false];
  await keepRollups(pool, {
    settings: { ...settings, ROLLUP_INTERVAL_MS: 30_000 },
    signal,
    events: {
      rolledUp: (cause, count) => { hours[cause] += count; },
      minutesRolledUp: () => { minutes += 1; },
      rollupsMeasured: (measured) => { stats = measured; },
      rollupWaits: () => { waited = true; },
      rollupsFilled: () => { filled = true; },
    },
  });
  return { hours, minutes, stats, waited, filled };
}

export async function withClient<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    const result = await work(client);
    client.release();
    return result;
  } catch (error) {
    client.release(true); // with whatever transaction it is in
    throw error;
  }
}

/** As the writer of core does. */
export function write(pool: Pool, rows: readonly PositionRow[]): Promise<unknown> {
  return withClient(pool, (client) => storePositions(client, rows, new Repeats()));
}

export function row(deviceId: number, ts: number, fields: Partial<PositionRow['record']> = {}, attributes = '{}'): PositionRow {
  const record = {
    ts, latitude: 52.5, longitude: 13.4, altitude: 34, course: 90, speed: 50, satellites: 9, hdop: 0.9, valid: true,
    priority: 0, eventId: 0, attributesJson: Buffer.from(attributes), ...fields,
  };
  return { deviceId, receivedAt: ts, record };
}

const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)]!;

/** Numbers, booleans, strings, sentinels, and a name that is now one thing and now another. */
function attributesOf(random: Random): string {
  const attributes: Record<string, unknown> = { whole: Math.floor(random() * 10) - 5, constant: 7 };
  if (random() < 0.5) attributes.fraction = Math.round(random() * 1e6 - 5e5) / 1e3;
  if (random() < 0.5) attributes.flag = random() < 0.5;
  if (random() < 0.5) attributes.mixed = pick(random, [3, -1.5, 'three', true, { __bigint: '18446744073709551615' }]);
  if (random() < 0.1) attributes.rare = random() * 1e-9;
  if (random() < 0.1) attributes.huge = pick(random, [1e300, -1e300, 9_007_199_254_740_991, 5e-324]);
  if (random() < 0.3) attributes.bytes = { __buffer_b64: 'AQID' };
  return JSON.stringify(attributes);
}

/** Records of four trackers from `from` on; some without a fix, some with several events at one instant. */
export function randomRows(random: Random, count: number, from: number, spanMs: number): PositionRow[] {
  return Array.from({ length: count }, () => {
    const ts = from + Math.floor(random() * spanMs / 1_000) * 1_000 + (random() < 0.2 ? 999 : 0);
    const nullable = (value: number): number | null => (random() < 0.2 ? null : value);
    const hasFix = random() < 0.8;
    const [latitude, longitude] = hasFix ? [random() * 180 - 90, random() * 360 - 180] : [null, null];
    return row(1 + Math.floor(random() * 4), ts, {
      latitude, longitude, valid: hasFix, eventId: pick(random, [0, 0, 0, 239, 7]), speed: nullable(random() * 200),
      altitude: nullable(random() * 1_000 - 500), hdop: nullable(random() * 10),
      satellites: nullable(Math.floor(random() * 30)),
    }, attributesOf(random));
  });
}

interface RawRow {
  readonly device_id: number;
  readonly ts: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly [column: string]: unknown;
}

type Summary = readonly [count: number, sum: number, min: number, max: number, first: number, last: number];

/** @param exact what a column of type real means by what it prints */
function summaryOf(values: readonly number[], exact: (value: number) => number = Number): Summary | null {
  if (values.length === 0) return null;
  const sum = values.reduce((total, value) => total + exact(value), 0);
  return [values.length, sum, Math.min(...values), Math.max(...values), values[0]!, values.at(-1)!];
}

const numbers = (values: readonly unknown[]): number[] =>
  values.flatMap((value) => (typeof value === 'boolean' ? Number(value) : typeof value === 'number' ? value : []));

export interface Rollup {
  readonly records: number;
  readonly fields: Readonly<Record<string, Summary | null>>;
  readonly places: readonly unknown[];
  readonly attributes: Readonly<Record<string, Summary | null>>;
}

const FIELDS = ['speed', 'altitude', 'hdop', 'satellites'];

function rollupOf(rows: readonly RawRow[]): Rollup {
  const placed = rows.filter(({ latitude }) => latitude !== null);
  const names = [...new Set(rows.flatMap(({ attributes }) => Object.keys(attributes)))].sort();
  const attributes = names.map((name) => [name, summaryOf(numbers(rows.map((one) => one.attributes[name])))] as const);
  const field = (name: string): Summary | null => summaryOf(numbers(rows.map((one) => one[name])), Math.fround);
  return {
    records: rows.length,
    fields: Object.fromEntries(FIELDS.map((name) => [name, field(name)])),
    places: [placed[0], placed.at(-1)].flatMap((at) => [at?.latitude ?? null, at?.longitude ?? null]),
    attributes: Object.fromEntries(attributes.filter(([, summary]) => summary !== null)),
  };
}

type Client = Pick<Pool, 'query'>;

/** By arithmetic of this file, from the rows. */
async function expectedRollups(client: Client, widthMs: number): Promise<Map<string, Rollup>> {
  const { rows } = await client.query<RawRow>('select * from positions order by device_id, ts, event_id');
  const groups = Map.groupBy(rows, ({ device_id: device, ts }) => `${device}/${Math.floor(ts / widthMs) * widthMs}`);
  return new Map([...groups].map(([key, own]) => [key, rollupOf(own)]));
}

function expanded(entry: unknown): Summary {
  if (typeof entry === 'number') return [1, entry, entry, entry, entry, entry];
  if (!Array.isArray(entry)) throw new Error(`not an entry of a rollup: ${JSON.stringify(entry)}`);
  if (entry.length === 6) return entry as unknown as Summary;
  const [count, value] = entry as [number, number];
  return [count, count * value, value, value, value, value];
}

function answered(found: Readonly<Record<string, unknown>>): Rollup {
  const parts = ['count', 'sum', 'min', 'max', 'first', 'last'];
  const field = (name: string): unknown =>
    (found[`${name}_count`] === 0 ? null : parts.map((part) => found[`${name}_${part}`]));
  const fields = FIELDS.map((name) => [name, field(name)]);
  const places = ['latitude_first', 'longitude_first', 'latitude_last', 'longitude_last'].map((column) => found[column]);
  const entries = Object.entries(found.attributes as object);
  const attributes = entries.map(([name, entry]) => [name, expanded(entry)] as const);
  return {
    records: found.records as number,
    fields: Object.fromEntries(fields) as Rollup['fields'],
    places,
    attributes: Object.fromEntries(attributes.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

async function answers(client: Client, sql: string): Promise<Map<string, Rollup>> {
  const { rows } = await client.query<{ device_id: number; bucket: number }>(`${sql} order by device_id, bucket`);
  return new Map(rows.map((found) => [`${found.device_id}/${found.bucket}`, answered({ ...found })]));
}

function sameSummary(a: Summary | null, b: Summary | null): boolean {
  if (a === null || b === null) return a === b;
  // Sums of floating point numbers depend on their order in the last places; nothing else does.
  const scale = a[0] * Math.max(Math.abs(a[2]), Math.abs(a[3]));
  return a.every((value, n) => (n === 1 ? Math.abs(value - b[1]) <= 1e-12 * scale : value === b[n]));
}

function sameSummaries(a: Rollup['fields'], b: Rollup['fields']): boolean {
  const names = Object.keys(a);
  return names.join() === Object.keys(b).join() && names.every((name) => sameSummary(a[name]!, b[name]!));
}

function isSame(a: Rollup | undefined, b: Rollup | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.records === b.records && a.places.every((part, n) => part === b.places[n])
    && sameSummaries(a.fields, b.fields) && sameSummaries(a.attributes, b.attributes);
}

/** Fails with the first that differ: all of them would fill pages. */
function expectSame(actual: ReadonlyMap<string, Rollup>, expected: ReadonlyMap<string, Rollup>, what: string): void {
  const all = new Set([...actual.keys(), ...expected.keys()]);
  const keys = [...all].filter((key) => !isSame(actual.get(key), expected.get(key)));
  const few = (of: ReadonlyMap<string, Rollup>): unknown => keys.slice(0, 2).map((key) => [key, of.get(key)]);
  expect(few(actual), `${what}: ${keys.length} of ${expected.size} differ`).toEqual(few(expected));
  expect(keys).toEqual([]);
}

const LEVELS = [
  { view: 'position_minutes', table: 'minute_rollups', end: 'minutes_to', widthMs: MINUTE_MS },
  { view: 'position_hours', table: 'hour_rollups', end: 'rolled_to', widthMs: HOUR_MS },
];

/** Both views answer what the rows of `positions` are, as one snapshot sees all of them. */
export async function expectLikeRaw(pool: Pool): Promise<void> {
  await withClient(pool, async (client) => {
    await client.query('begin isolation level repeatable read');
    for (const { view, widthMs } of LEVELS) {
      const expected = await expectedRollups(client, widthMs);
      expectSame(await answers(client, `select * from ${view}`), expected, view);
    }
    await client.query('commit');
  });
}

/** What is stored, without help from `positions`. */
export async function expectStoredLikeRaw(pool: Pool): Promise<void> {
  for (const { table, end, widthMs } of LEVELS) {
    const { rows: [state] } = await pool.query<{ until: number }>(`select ${end} as until from rollup_state`);
    const expected = [...await expectedRollups(pool, widthMs)].filter(([key]) => Number(key.split('/')[1]) < state!.until);
    expectSame(await answers(pool, `select * from ${table}`), new Map(expected), table);
  }
}

/** Calls `work` again and again until the test has called what this returns, which waits for the last call. */
export function again(work: () => Promise<unknown>): () => Promise<void> {
  let isOver = false;
  const loop = (async () => {
    while (!isOver) await work();
  })();
  const end = async (): Promise<void> => {
    isOver = true;
    await loop;
  };
  onTestFinished(end);
  return end;
}
