/**
 * TimescaleDB's jobs for positions and its rollups, made to agree with the settings at every start. They need the
 * Timescale licence; under the Apache licence, as some managed servers have it, nothing is compressed (a warning) and
 * retention of positions is ours too (`dropExpiredChunks`). It is ours as well where more has expired than the job can
 * drop: that is one transaction, and one for 1,200 chunks finds no room for its locks in a PostgreSQL of default
 * settings.
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
async function currentDays(client: PoolClient, table: Table, policy: Policy): Promise<number> {
  const result = await client.query<{ days: number }>(
    `select (extract(epoch from (config ->> $1)::interval) / 86400)::float8 as days from timescaledb_information.jobs
     where proc_name = $2 and hypertable_name = $3 and hypertable_schema = current_schema()`,
    [policy.key, policy.procedure, table],
  );
  return result.rows[0]?.days ?? 0;
}

/** A job that agrees is left alone, with its schedule and its statistics. */
async function follow(client: PoolClient, table: Table, policy: Policy, days: number, log: DatabaseLog): Promise<void> {
  const before = await currentDays(client, table, policy);
  if (before === days) return;
  await inDdlTransaction(client, async () => {
    if (before !== 0) await client.query(`select ${policy.remove}('${table}')`);
    if (days !== 0) await client.query(`select ${policy.add}('${table}', make_interval(days => $1))`, [days]);
  });
  log.info({ policy: policy.procedure, daysBefore: before, days }, `policy of ${table} changed`);
}

type Table = 'positions' | 'minute_rollups' | 'hour_rollups';

/** As a device's history is read, and as late records of it come in. */
const ORDERS: ReadonlyMap<Table, string> = new Map([
  ['positions', 'ts, event_id'],
  ['minute_rollups', 'bucket'],
  ['hour_rollups', 'bucket'],
]);

async function enableCompression(client: PoolClient, table: Table, order: string): Promise<void> {
  const result = await client.query<{ enabled: boolean }>(
    `select compression_enabled as enabled from timescaledb_information.hypertables
     where hypertable_name = $1 and hypertable_schema = current_schema()`,
    [table],
  );
  if (result.rows[0]?.enabled === true) return;
  await inDdlTransaction(client, () =>
    client.query(`alter table ${table} set (
      timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = '${order}')`),
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
  for (const [table, order] of ORDERS) {
    await enableCompression(client, table, order);
    await follow(client, table, COMPRESSION, settings.POSITIONS_COMPRESS_AFTER_DAYS, log);
  }
  await follow(client, 'positions', RETENTION, settings.POSITIONS_RETENTION_DAYS, log);
}

/** Chunks dropped in one transaction: each, with what belongs to it, takes some six locks, twice as many compressed. */
const DROPPED_AT_ONCE = 50;

/** Of the chunks whose every instant is before `before` the oldest: how many, and where the last of them ends. */
async function oldestChunks(client: PoolClient, table: Table, before: string): Promise<{ count: number; end: string }> {
  const { rows: [oldest] } = await client.query<{ count: number; end: string | null }>(
    `select count(*)::integer as count, max(range_end)::text as end from (
       select range_end from timescaledb_information.chunks
       where hypertable_name = $1 and hypertable_schema = current_schema() and range_end <= $2::timestamptz
       order by range_end limit ${DROPPED_AT_ONCE}) as oldest`,
    [table, before],
  );
  return { count: oldest?.count ?? 0, end: oldest?.end ?? '-infinity' };
}

/**
 * Drops the chunks whose every instant is before `before`, so many in a transaction that the server has room for it.
 * @param before timestamp in SQL
 * @param least leaves them where there are fewer
 * @returns their names
 */
export async function dropChunks(client: PoolClient, table: Table, before: string, least = 1): Promise<string[]> {
  const dropped: string[] = [];
  for (;;) {
    const { count, end } = await oldestChunks(client, table, before);
    if (count < least) return dropped;
    const result = await inDdlTransaction(client, () => client.query<{ name: string }>(
      'select drop_chunks($1::regclass, older_than => $2::timestamptz) as name', [table, end]));
    dropped.push(...result.rows.map(({ name }) => name));
    // What the server does not let go now is there in the next round, too.
    if (result.rows.length === 0) return dropped;
  }
}

/**
 * Drops what retention does not keep of positions and TimescaleDB's own job does not drop.
 * @param before timestamp in SQL
 * @returns names of chunks
 */
export async function dropExpiredChunks(client: PoolClient, before: string): Promise<string[]> {
  return dropChunks(client, 'positions', before, (await hasJobs(client)) ? DROPPED_AT_ONCE : 1);
}
