/**
 * Rolling hours up: minute by minute while they are open and then from their minutes, as core does it; from their
 * records, minutes and hours together, as core does it where it was away; next to one statement that lets the functions
 * of the migrations do it. CPU time of this process and PostgreSQL together.
 */
import type { PoolClient } from 'pg';
import { loadSettings } from '../../src/config/load.ts';
import type { TouchedHour } from '../../src/core/rollups/hours.ts';
import { BATCH, activeIn, rollUp, sumUp } from '../../src/core/rollups/hours.ts';
import { rollUpMinutes } from '../../src/core/rollups/minutes.ts';
import { setMinutesTo } from '../../src/core/rollups/state.ts';
import { createPool } from '../../src/db/pool.ts';
import { ROLLUP_VALUES } from '../../src/db/rollup-columns.ts';
import { sqlTime } from '../../src/db/sql-time.ts';
import type { Benchmark, BenchOptions, Outcome } from '../benchmark.ts';
import { createBenchDatabase, withClient } from '../support/database.ts';
import { takeTurns } from '../support/rounds.ts';
import { imeisOf } from '../support/sample-frames.ts';
import { over } from '../support/statistics.ts';
import { CpuMeter } from '../support/usage.ts';
import { insertRows } from './history.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ALL = { raw: -Infinity, minutes: -Infinity, hours: -Infinity };
const PACES = [{ name: 'a record a second', each: 3_600 }, { name: 'a record every 30 s', each: 120 }] as const;

interface Round {
  readonly micros: number;
  readonly perSecond: number;
}

type Way = (client: PoolClient, touched: readonly TouchedHour[]) => Promise<void>;

async function asCore(client: PoolClient, touched: readonly TouchedHour[]): Promise<void> {
  for (let at = 0; at < touched.length; at += BATCH) await rollUp(client, touched.slice(at, at + BATCH), ALL, true);
}

async function byMinutes(client: PoolClient, touched: readonly TouchedHour[]): Promise<void> {
  const hour = touched[0]?.hour ?? 0;
  await client.query('update rollup_state set rolled_to = $1, minutes_to = $1', [sqlTime(hour)]);
  const work = { client, kept: ALL, signal: new AbortController().signal, onStored: () => undefined };
  for (let at = hour; at < hour + HOUR_MS; at += MINUTE_MS) {
    await rollUpMinutes(work, at, at + MINUTE_MS);
    await setMinutesTo(client, at + MINUTE_MS);
  }
  for (let at = 0; at < touched.length; at += BATCH) await sumUp(client, touched.slice(at, at + BATCH));
}

async function inSql(client: PoolClient, touched: readonly TouchedHour[]): Promise<void> {
  const columns = ['device_id', 'bucket', ...ROLLUP_VALUES].join(', ');
  const [first] = touched;
  const from = first?.hour ?? 0;
  const bounds = [touched.map(({ deviceId }) => deviceId), sqlTime(from), sqlTime(from + HOUR_MS)];
  for (const [table, width] of [['minute_rollups', '1 minute'], ['hour_rollups', '1 hour']] as const) {
    await client.query(
      `insert into ${table} (${columns}) select ${columns}
       from position_rollups('${width}', $1::bigint[], $2::timestamptz, $3::timestamptz)`, bounds);
  }
}

/** Functions that roll the same hour up, each into empty tables. */
async function prepare(
  { servers }: BenchOptions, records: number, each: number,
): Promise<(way: Way) => Promise<Round>> {
  const devices = records / each;
  const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 2 * HOUR_MS;
  const url = await createBenchDatabase(servers, imeisOf(devices));
  await withClient(url, async (client) => {
    await insertRows(client, hour, devices, each, '1 hour');
    await client.query('analyze positions');
  });
  const pool = createPool(loadSettings({ POSTGRES_STATEMENT_TIMEOUT_MS: '600000' }), url, 'bench', () => undefined);
  // PostgreSQL is among the children of this process.
  const meter = new CpuMeter({ all: process.pid });
  return async (way) => {
    const client = await pool.connect();
    try {
      await client.query('truncate minute_rollups, hour_rollups');
      await client.query('checkpoint');
      const touched = await activeIn(client, hour);
      await meter.start();
      const startedAt = performance.now();
      await way(client, touched);
      const seconds = (performance.now() - startedAt) / 1_000;
      const { all = Number.NaN } = await meter.microsEach(records);
      return { micros: all, perSecond: records / seconds };
    } finally {
      client.release();
    }
  };
}

async function run(options: BenchOptions): Promise<Outcome> {
  const records = options.quick ? 72_000 : 360_000;
  const figures: Outcome['figures'][number][] = [];
  const ratios: NonNullable<Outcome['ratios']>[number][] = [];
  for (const { name, each } of PACES) {
    const rollUpBy = await prepare(options, records, each);
    const ways = { minutes: () => rollUpBy(byMinutes), core: () => rollUpBy(asCore), sql: () => rollUpBy(inSql) };
    const { minutes, core, sql } = await takeTurns(ways, options.quick ? 2 : 5);
    const micros = (rounds: readonly Round[]): number[] => rounds.map((round) => round.micros);
    figures.push(
      { name: `${name}: by minutes, CPU a record`, unit: 'µs', values: micros(minutes) },
      { name: `${name}: core, CPU a record`, unit: 'µs', values: micros(core) },
      { name: `${name}: core`, unit: 'records/s', values: core.map(({ perSecond }) => perSecond) },
      { name: `${name}: in SQL, CPU a record`, unit: 'µs', values: micros(sql) },
    );
    ratios.push({ name: `${name}: CPU of core ÷ in SQL`, goal: 'no goal', values: over(micros(core), micros(sql)) });
  }
  return { figures, ratios };
}

export const rollups: Benchmark = {
  name: 'rollups', what: 'an hour of a fleet rolled up by minute and by hour, twelve attributes a record', run,
};
