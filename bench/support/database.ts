/** Databases of a benchmark's own. */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { loadSettings } from '../../src/config/load.ts';
import { createPool } from '../../src/db/pool.ts';
import { prepareDatabase } from '../../src/db/schema.ts';
import { pause } from '../../src/shared/wait.ts';
import type { BenchServers } from './servers.ts';

/** Positions are counted so often while they are waited for. */
const POLL_MS = 5;

const never = new AbortController().signal;

interface DatabaseOptions {
  /** Absent: one of its own. */
  readonly name?: string;
  /** Settings that are not the defaults. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The tables of this version in a database that may have those of an older one. */
export async function prepareBenchDatabase(url: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const settings = loadSettings({ ...env, POSTGRES_URL: url });
  const pool = createPool(settings, url, 'bench', () => undefined);
  await prepareDatabase(pool, settings, { info: () => undefined, warn: () => undefined });
  await pool.end();
}

/** @returns the URL of a new database with the tables of this version and these devices, whose ids count from 1 */
export async function createBenchDatabase(
  servers: BenchServers, devices: readonly string[], options: DatabaseOptions = {},
): Promise<string> {
  const url = new URL(servers.postgres.url);
  const { name = `bench_${randomBytes(6).toString('hex')}`, env = {} } = options;
  await withClient(url.href, (client) => client.query(`create database ${name}`));
  url.pathname = `/${name}`;
  await prepareBenchDatabase(url.href, env);
  await withClient(url.href, (client) => client.query(
    'insert into devices (unique_id, protocol) select unnest($1::text[]), \'teltonika\'', [devices]));
  return url.href;
}

/** Runs `work` on a connection of its own. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** No positions, and nothing left to be written of those that were there: every round begins alike. */
export async function emptyPositions(client: Client): Promise<void> {
  await client.query('truncate positions, device_state');
  await client.query('checkpoint');
}

/** How many positions are stored, as core counts them in the transaction that stores them. */
export async function storedPositions(client: Client): Promise<number> {
  const { rows } = await client.query<{ stored: string }>('select coalesce(sum(records), 0) as stored from device_state');
  return Number(rows[0]?.stored);
}

/** Resolves when at least so many positions are stored. */
export async function untilStored(client: Client, positions: number): Promise<void> {
  while ((await storedPositions(client)) < positions) await pause(POLL_MS, never);
}

/** @throws Error when the table does not hold exactly so many rows. */
export async function checkPositions(client: Client, expected: number): Promise<void> {
  const { rows } = await client.query<{ count: string }>('select count(*) from positions');
  if (Number(rows[0]?.count) !== expected) throw new Error(`${rows[0]?.count} rows in positions, not ${expected}`);
}
