/**
 * A month of the fleet in the last minute of an hour that is being written: with its minutes rolled up as far as
 * core has them by then at worst, and as if none was. In turns, over the same records.
 */
import type { Client } from 'pg';
import { rollUpMinutes } from '../../src/core/rollups/minutes.ts';
import { setMinutesTo } from '../../src/core/rollups/state.ts';
import { loadSettings } from '../../src/config/load.ts';
import { createPool } from '../../src/db/pool.ts';
import type { Benchmark, BenchOptions, Outcome } from '../benchmark.ts';
import { rollUpHistory } from '../storage/history-rollups.ts';
import type { History } from '../storage/history.ts';
import { cutToHistory, historyDatabase, insertRows, storageOf } from '../storage/history.ts';
import { withClient } from '../support/database.ts';
import { flushRedis } from '../support/redis.ts';
import { takeTurns } from '../support/rounds.ts';
import { imeisOf } from '../support/sample-frames.ts';
import { quantile } from '../support/statistics.ts';
import { startSystem } from '../support/system.ts';
import { ApiClient } from './api-client.ts';
import type { Question } from './questions.ts';
import { questionsOf } from './questions.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const MILLION = 1_000_000;
const DEVICES = 1_000;
const TOKEN = 'token-of-the-administrator';
/** Positions in each second of the open hour: the last are 18 million. */
const PER_SECOND = { quick: 100, normal: 1_000, large: 5_000 } as const;
/** They settle for a minute, and core looks every half minute. */
const ROLLED_UP_MS = 57 * MINUTE_MS;
const ALL = { raw: -Infinity, minutes: -Infinity, hours: -Infinity };
/** Where nothing is rolled up a question takes seconds. */
const EACH = { minutes: 8, records: 3 };

interface OpenHour {
  readonly url: string;
  /** The full hour at which it begins, epoch milliseconds. */
  readonly begin: number;
  readonly positionsPerSecond: number;
  readonly rounds: number;
}

/** Minute by minute, as core does it. @returns how long it took, ms */
async function rollUp(url: string, from: number): Promise<number> {
  const pool = createPool(loadSettings({ POSTGRES_STATEMENT_TIMEOUT_MS: '600000' }), url, 'bench', () => undefined);
  const client = await pool.connect();
  const startedAt = performance.now();
  try {
    const work = { client, kept: ALL, signal: new AbortController().signal, onStored: () => undefined };
    for (let at = from; at < from + ROLLED_UP_MS; at += MINUTE_MS) {
      await rollUpMinutes(work, at, at + MINUTE_MS);
      await setMinutesTo(client, at + MINUTE_MS);
    }
    return performance.now() - startedAt;
  } finally {
    client.release(true);
    await pool.end();
  }
}

async function fill(database: Client, { begin, positionsPerSecond }: OpenHour): Promise<void> {
  const each = Math.ceil((positionsPerSecond * HOUR_MS) / 1_000 / DEVICES);
  await insertRows(database, begin + 1, DEVICES, each, '1 hour');
  await database.query('update device_state set ts = $1, records = records + $2', [new Date(begin + HOUR_MS - 1), each]);
  await database.query('vacuum (analyze) positions');
}

async function measure(
  options: BenchOptions, storage: History['storage'], positionsPerSecond: number,
): Promise<Outcome> {
  const { servers, quick, say } = options;
  const history = { devices: DEVICES, rows: MILLION, ...(storage === undefined ? {} : { storage }) };
  const url = await historyDatabase(options, history);
  const range = await withClient(url, (client) => cutToHistory(client, history));
  await rollUpHistory(url, range, say);
  await flushRedis(servers.redis.url);
  const system = await startSystem({
    ROLES: 'query', POSTGRES_URL: url, REDIS_URL: servers.redis.url, AUTH_TOKEN: TOKEN,
    QUERY_MAX_ROWS: String(1_000 * MILLION),
  });
  const client = new ApiClient((await system.program.logged('listening for requests')).port ?? 0, TOKEN);
  try {
    return await withClient(url, async (database) => {
      const hour = { url, begin: range.to, positionsPerSecond, rounds: quick ? 1 : 3 };
      const outcome = await measureHour(client, database, hour);
      // For others that use this history.
      await cutToHistory(database, history);
      return outcome;
    });
  } finally {
    client.stop();
    await system.program.stop();
  }
}

async function measureHour(client: ApiClient, database: Client, hour: OpenHour): Promise<Outcome> {
  const { begin, positionsPerSecond, rounds } = hour;
  await fill(database, hour);
  const rolledMs = await rollUp(hour.url, begin);
  await database.query('vacuum (analyze) minute_rollups');
  const imeis = imeisOf(DEVICES);
  const monthTo = (to: number) => questionsOf({ imeis, plainDevices: 1, range: { from: begin, to } }).month;
  const month = monthTo(begin + HOUR_MS);
  let asked = 0;
  const p95 = (each: number, minutesTo: number, question: Question = month) => async (): Promise<number> => {
    await database.query('update rollup_state set minutes_to = $1', [new Date(minutesTo)]);
    const times: number[] = [];
    for (; times.length < each; asked += 1) times.push((await client.ask(question.path(asked))).ms);
    return quantile(times.toSorted((a, b) => a - b), 0.95);
  };
  const { closed, minutes, records } = await takeTurns({
    closed: p95(EACH.minutes, begin + ROLLED_UP_MS, monthTo(begin)),
    minutes: p95(EACH.minutes, begin + ROLLED_UP_MS),
    records: p95(EACH.records, begin),
  }, rounds);
  const name = `${month.name}, ${await storageOf(database)}`;
  const rolled = Math.round((positionsPerSecond * ROLLED_UP_MS) / 1_000);
  return {
    figures: [
      { name: `${name}, p95`, unit: 'ms', values: minutes },
      { name: `${name}, p95, up to the full hour`, unit: 'ms', values: closed },
      { name: `${name}, p95, without those minutes`, unit: 'ms', values: records },
    ],
    ratios: [{ name: `${name}, p95 ÷ ${month.goalMs} ms`, goal: 'at most 1', values: minutes.map((ms) => ms / month.goalMs) }],
    notes: [`${positionsPerSecond.toLocaleString('en')} positions/s of ${DEVICES.toLocaleString('en')} devices: ${rolled.toLocaleString('en')} of the open hour rolled up in ${(rolledMs / 1_000).toFixed(1)} s`],
  };
}

async function run(options: BenchOptions): Promise<Outcome> {
  const perSecond = PER_SECOND[options.large ? 'large' : options.quick ? 'quick' : 'normal'];
  const outcomes = [await measure(options, undefined, perSecond)];
  if (options.servers.description.includes('TimescaleDB')) outcomes.push(await measure(options, 'partitions', perSecond));
  return {
    figures: outcomes.flatMap(({ figures }) => figures),
    ratios: outcomes.flatMap(({ ratios = [] }) => ratios),
    notes: outcomes.flatMap(({ notes = [] }) => notes),
  };
}

export const queryOpenHour: Benchmark = {
  name: 'query-open-hour',
  what: 'a month of a fleet in the last minute of an hour that is being written (5,000 positions/s with --large)', run,
};
