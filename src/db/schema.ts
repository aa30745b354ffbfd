/**
 * The one call before the database is used: the schema of this version, and the jobs or partitions that the settings
 * ask for. Any number of instances may call it at once; one works, the others wait. It changes nothing when nothing is
 * to be changed, and may be called again after any error.
 */
import { fileURLToPath } from 'node:url';
import type { Pool, PoolClient } from 'pg';
import type { Settings } from '../config/settings.ts';
import { isContention, withSchemaLock } from './ddl.ts';
import type { DatabaseLog } from './log.ts';
import type { Storage } from './migration-files.ts';
import { readMigrations } from './migration-files.ts';
import { migrate } from './migrate.ts';
import type { PartitionSettings } from './partition-days.ts';
import { createMissing } from './partitions.ts';
import type { PolicySettings } from './policies.ts';
import { applyPolicies } from './policies.ts';
import type { RollupSettings } from './rollup-retention.ts';
import { applyRetention, keptAt } from './rollup-retention.ts';
import { SchemaError } from './schema-error.ts';
import { chooseStorage } from './storage.ts';

export const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('../../migrations/', import.meta.url));

export type SchemaSettings = Pick<Settings, 'POSITIONS_STORAGE'> & PolicySettings & PartitionSettings & RollupSettings;

export interface PrepareOptions {
  /** Ends the wait for another instance. */
  readonly signal?: AbortSignal;
}

const OLDEST_SERVER = 150_000;
const PARTITION_ATTEMPTS = 3;

export interface ServerFacts {
  /** As `server_version_num`: 150020 is 15.20. */
  readonly number: number;
  readonly version: string;
  readonly encoding: string;
}

/** @throws SchemaError `server unsuitable` */
export function requireSuitable(server: ServerFacts): void {
  if (server.number < OLDEST_SERVER) {
    throw new SchemaError('server unsuitable', `PostgreSQL 15 or later is needed, this server is ${server.version}`);
  }
  if (server.encoding !== 'UTF8') {
    throw new SchemaError('server unsuitable', `the encoding of the database must be UTF8, not ${server.encoding}`);
  }
}

async function requireServer(client: PoolClient): Promise<void> {
  const result = await client.query<ServerFacts>(
    `select current_setting('server_version_num')::integer as number, current_setting('server_version') as version,
       current_setting('server_encoding') as encoding`,
  );
  result.rows.forEach(requireSuitable);
}

/** Records find a place without today's partition, so a lock that is held for long does not prevent the start. */
async function startPartitions(client: PoolClient, settings: SchemaSettings, log: DatabaseLog): Promise<void> {
  try {
    const { created, movedRows } = await createMissing(client, settings, Date.now(), PARTITION_ATTEMPTS);
    if (created.length > 0) log.info({ created: created.length, movedRows }, 'partitions of positions created');
  } catch (error) {
    if (!isContention(error)) throw error;
    log.warn({ err: error }, 'partitions of positions could not be created beside other locks; the hourly run will');
  }
}

/**
 * Migrates the database, then applies policies (TimescaleDB) or makes partitions (native).
 * @throws SchemaError what an operator must mend; connection errors as they come, to be retried
 */
export async function prepareDatabase(
  pool: Pool,
  settings: SchemaSettings,
  log: DatabaseLog,
  options: PrepareOptions = {},
): Promise<{ storage: Storage }> {
  const migrations = await readMigrations(MIGRATIONS_DIRECTORY);
  const onWait = (): void => {
    log.info({}, 'another instance is preparing the database; waiting for it');
  };
  return withSchemaLock(pool, { onWait, signal: options.signal }, async (client) => {
    await requireServer(client);
    const storage = await chooseStorage(pool, client, settings.POSITIONS_STORAGE, log);
    await migrate(client, migrations, storage, log);
    await applyRetention(client, keptAt(Date.now(), settings));
    if (storage === 'timescaledb') await applyPolicies(client, settings, log);
    else await startPartitions(client, settings, log);
    return { storage };
  });
}
