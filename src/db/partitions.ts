/**
 * Daily partitions of a natively partitioned positions. Writers never depend on them: a record whose day has no
 * partition is kept in positions_default, and moves to the partition when that is made, in the transaction that makes
 * it. Nothing is dropped but what POSITIONS_RETENTION_DAYS says. A change that cannot have its locks is thrown after
 * about a minute (`isContention`); what was done until then stays, and the next run goes on.
 */
import type { Pool, PoolClient } from 'pg';
import { inDdlTransaction, longQuery, trySchemaLock } from './ddl.ts';
import type { PartitionSettings } from './partition-days.ts';
import {
  expiredDays,
  firstDayKept,
  lastDayAhead,
  missingDays,
  partitionDay,
  partitionName,
  startOf,
} from './partition-days.ts';
import type { Storage } from './migration-files.ts';
import { dropExpiredChunks } from './policies.ts';
import type { Kept, RollupSettings } from './rollup-retention.ts';
import { applyRetention, keptAt } from './rollup-retention.ts';
import { dropExpiredRollups } from './rollup-tables.ts';
import { existingStorage } from './storage.ts';

/**
 * A day with this many rows in positions_default gets a partition of its own: to attach a partition is to read all of
 * positions_default under a lock, so it is kept small.
 */
const CROWDED_ROWS = 10_000;
const CROWDED_DAYS_PER_RUN = 31;

/** A transaction that deletes this many rows takes well below a second. */
const DELETE_BATCH = 10_000;
const DELETE_BATCHES_PER_RUN = 100;

export interface Maintenance {
  /** Names of partitions. */
  readonly created: readonly string[];
  /** Names of partitions, or of chunks. */
  readonly dropped: readonly string[];
  /** Rows that left positions_default for a partition of their day. */
  readonly movedRows: number;
  /** Expired rows deleted from positions_default. */
  readonly deletedRows: number;
}

async function partitionDays(client: PoolClient): Promise<number[]> {
  const result = await client.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = to_regclass('positions')`,
  );
  return result.rows.flatMap((row) => partitionDay(row.name) ?? []);
}

/**
 * A table is made and then attached: CREATE TABLE … PARTITION OF would lock out every writer of positions, ATTACH locks
 * out those of positions_default alone.
 * @returns how many rows were moved
 */
async function createPartition(client: PoolClient, day: number, attempts?: number): Promise<number> {
  const name = partitionName(day);
  const from = `'${startOf(day)}'`;
  const to = `'${startOf(day + 1)}'`;
  const work = async (): Promise<number> => {
    await client.query(`create table ${name} (like positions including defaults including constraints)`);
    await client.query('lock table only positions_default in access exclusive mode');
    const moved = await longQuery(
      client,
      `with moved as (delete from positions_default where ts >= ${from} and ts < ${to} returning *)
       insert into ${name} select * from moved`,
    );
    await longQuery(client, `alter table positions attach partition ${name} for values from (${from}) to (${to})`);
    return moved.rowCount ?? 0;
  };
  return inDdlTransaction(client, work, attempts);
}

async function createPartitions(client: PoolClient, days: readonly number[], attempts?: number): Promise<number> {
  let movedRows = 0;
  for (const day of days) movedRows += await createPartition(client, day, attempts);
  return movedRows;
}

/** Days from 1970 to the last day ahead that have no partition and many rows, as after an import; the newest first. */
async function crowdedDays(client: PoolClient, settings: PartitionSettings, now: number): Promise<number[]> {
  const result = await longQuery(
    client,
    `select floor(extract(epoch from ts) / 86400)::integer as day from positions_default
     where ts >= $1 and ts < $2
     group by 1 having count(*) >= $3 order by 1 desc limit $4`,
    [
      startOf(firstDayKept(settings, now) ?? 0),
      startOf(lastDayAhead(settings, now) + 1),
      CROWDED_ROWS,
      CROWDED_DAYS_PER_RUN,
    ],
  );
  return result.rows.map((row: { day: number }) => row.day);
}

async function dropPartitions(client: PoolClient, days: readonly number[]): Promise<void> {
  for (const day of days) {
    await inDdlTransaction(client, () => client.query(`drop table ${partitionName(day)}`));
  }
}

/** What is left after a million rows is for the next run: other instances wait for the schema lock. */
async function deleteExpiredRows(client: PoolClient, settings: PartitionSettings, now: number): Promise<number> {
  const kept = firstDayKept(settings, now);
  let deletedRows = 0;
  for (let batch = 0; kept !== undefined && batch < DELETE_BATCHES_PER_RUN; batch += 1) {
    const result = await client.query(
      `delete from positions_default where ctid = any(array(
         select ctid from positions_default where ts < $1 order by ts limit ${DELETE_BATCH}))`,
      [startOf(kept)],
    );
    deletedRows += result.rowCount ?? 0;
    if ((result.rowCount ?? 0) < DELETE_BATCH) break;
  }
  return deletedRows;
}

/**
 * Makes the partitions that are missing, the nearest to today first.
 * @param client holds the schema lock
 * @param attempts to lock positions_default for one of them; default: for about a minute
 * @returns their names, and the rows that moved into them
 */
export async function createMissing(
  client: PoolClient,
  settings: PartitionSettings,
  now: number,
  attempts?: number,
): Promise<Pick<Maintenance, 'created' | 'movedRows'>> {
  const days = missingDays(await partitionDays(client), settings, now);
  return { created: days.map(partitionName), movedRows: await createPartitions(client, days, attempts) };
}

async function maintain(client: PoolClient, settings: PartitionSettings, now: number): Promise<Maintenance> {
  const ahead = await createMissing(client, settings, now);
  const crowded = await crowdedDays(client, settings, now);
  const movedRows = ahead.movedRows + (await createPartitions(client, crowded));
  const expired = expiredDays(await partitionDays(client), settings, now);
  await dropPartitions(client, expired);
  const deletedRows = await deleteExpiredRows(client, settings, now);
  return {
    created: [...ahead.created, ...crowded.map(partitionName)],
    dropped: expired.map(partitionName),
    movedRows,
    deletedRows,
  };
}

async function dropOldChunks(client: PoolClient, settings: PartitionSettings, now: number): Promise<Maintenance> {
  const kept = firstDayKept(settings, now);
  const dropped = kept === undefined ? [] : await dropExpiredChunks(client, startOf(kept));
  return { created: [], dropped, movedRows: 0, deletedRows: 0 };
}

async function dropRollups(client: PoolClient, storage: Storage, { minutes, hours }: Kept): Promise<string[]> {
  const ofMinutes = minutes === -Infinity ? [] : await dropExpiredRollups(client, storage, 'minute_rollups', minutes);
  const ofHours = hours === -Infinity ? [] : await dropExpiredRollups(client, storage, 'hour_rollups', hours);
  return [...ofMinutes, ...ofHours];
}

/**
 * To be called every hour by every instance: makes partitions ahead, gives crowded days of positions_default their
 * own, and drops what is older than POSITIONS_RETENTION_DAYS, and rollups that are older than theirs. On a hypertable TimescaleDB's own jobs do that; where
 * its licence has no jobs, expired chunks are dropped here.
 * @param now epoch milliseconds
 * @returns undefined when another instance is at it, or when positions is not there yet
 */
export async function maintainPartitions(
  pool: Pool,
  settings: PartitionSettings & RollupSettings,
  now: number,
): Promise<Maintenance | undefined> {
  return trySchemaLock(pool, async (client) => {
    const storage = await existingStorage(client);
    if (storage === null) return undefined;
    const kept = keptAt(now, settings);
    await applyRetention(client, kept);
    const done = storage === 'partitions' ? await maintain(client, settings, now) : await dropOldChunks(client, settings, now);
    const rollups = await dropRollups(client, storage, kept);
    return { ...done, dropped: [...done.dropped, ...rollups] };
  });
}
