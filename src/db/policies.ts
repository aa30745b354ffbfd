/**
 * TimescaleDB's jobs for positions, made to agree with the settings at every start. They need the Timescale licence;
 * under the Apache licence, as some managed servers have it, nothing is compressed (a warning) and retention is ours
 * (`dropExpiredChunks`).
 */
import type { PoolClient } from 'pg';
import type { Settings } from '../config/settings.ts';
import { inDdlTransaction } from './ddl.ts';
import type { DatabaseLog } from './log.ts';

export type PolicySettings = Pick<Settings, 'POSITIONS_RETENTION_DAYS' | 'POSITIONS_COMPRESS_AFTER_DAYS'>;

async function hasJobs(client: PoolClient): Promise<boolean> {
  const result = await client.query<{ licence: string | null }>(
    'select current_setting(\'timescaledb.license\', true) as licence',
  );
  return result.rows[0]?.licence === 'timescale';
}

interface Policy {
  /** Procedure of the job in `timescaledb_information.jobs`, and its time in the job's configuration. */
  readonly procedure: 'policy_retention' | 'policy_compression';
  readonly key: 'drop_after' | 'compress_after';
  /** Names of the SQL functions. */
  readonly add: string;
  readonly remove: string;
}

const RETENTION: Policy = {
  procedure: 'policy_retention',
  key: 'drop_after',
  add: 'add_retention_policy',
  remove: 'remove_retention_policy',
};

const COMPRESSION: Policy = {
  procedure: 'policy_compression',
  key: 'compress_after',
  add: 'add_compression_policy',
  remove: 'remove_compression_policy',
};

/** Days of the job as it is; 0: there is none. */
async function currentDays(client: PoolClient, policy: Policy): Promise<number> {
  const result = await client.query<{ days: number }>(
    `select (extract(epoch from (config ->> $1)::interval) / 86400)::float8 as days from timescaledb_information.jobs
     where proc_name = $2 and hypertable_name = 'positions' and hypertable_schema = current_schema()`,
    [policy.key, policy.procedure],
  );
  return result.rows[0]?.days ?? 0;
}

/** A job that agrees is left alone, with its schedule and its statistics. */
async function follow(client: PoolClient, policy: Policy, days: number, log: DatabaseLog): Promise<void> {
  const before = await currentDays(client, policy);
  if (before === days) return;
  await inDdlTransaction(client, async () => {
    if (before !== 0) await client.query(`select ${policy.remove}('positions')`);
    if (days !== 0) await client.query(`select ${policy.add}('positions', make_interval(days => $1))`, [days]);
  });
  log.info({ policy: policy.procedure, daysBefore: before, days }, 'policy of positions changed');
}

/** Ordered as a device's history is read, and as late records of it come in. */
async function enableCompression(client: PoolClient): Promise<void> {
  const result = await client.query<{ enabled: boolean }>(
    `select compression_enabled as enabled from timescaledb_information.hypertables
     where hypertable_name = 'positions' and hypertable_schema = current_schema()`,
  );
  if (result.rows[0]?.enabled === true) return;
  await inDdlTransaction(client, () =>
    client.query(`alter table positions set (
      timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'ts, event_id')`),
  );
}

/**
 * Makes compression and retention what the settings say; 0 days means no job.
 * @param client holds the schema lock
 */
export async function applyPolicies(client: PoolClient, settings: PolicySettings, log: DatabaseLog): Promise<void> {
  if (!(await hasJobs(client))) {
    const message = 'TimescaleDB runs under its Apache licence: positions is not compressed; retention is done by Odograph';
    log.warn({}, message);
    return;
  }
  await enableCompression(client);
  await follow(client, COMPRESSION, settings.POSITIONS_COMPRESS_AFTER_DAYS, log);
  await follow(client, RETENTION, settings.POSITIONS_RETENTION_DAYS, log);
}

/**
 * Drops the chunks whose every instant is before `before`, where TimescaleDB has no job for that.
 * @param before timestamp in SQL
 * @returns their names
 */
export async function dropExpiredChunks(client: PoolClient, before: string): Promise<string[]> {
  if (await hasJobs(client)) return [];
  const result = await inDdlTransaction(client, () =>
    client.query<{ name: string }>('select drop_chunks(\'positions\', older_than => $1::timestamptz) as name', [before]),
  );
  return result.rows.map((row) => row.name);
}
