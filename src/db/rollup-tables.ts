/**
 * Partitions of the rollup tables, and their retention. Under TimescaleDB chunks come by themselves; natively the one
 * instance that rolls up makes partitions before it writes, so there is no other writer to be kept out. Errors: those
 * of PostgreSQL.
 */
import type { PoolClient } from 'pg';
import { inDdlTransaction } from './ddl.ts';
import type { Storage } from './migration-files.ts';
import { dropChunks } from './policies.ts';

export type RollupTable = 'minute_rollups' | 'hour_rollups';

/** Older hours, of trackers whose clock is wrong, get no partition of their own. */
const OLDEST_YEAR = 2010;

interface Period {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

function startOf(year: number, month: number): string {
  return new Date(Date.UTC(year, month, 1)).toISOString();
}

/** The partition of a time: a month of minutes, a year of hours. null: the default one. */
export function rollupPartition(table: RollupTable, time: number): Period | null {
  const date = new Date(time);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  if (year < OLDEST_YEAR) return null;
  if (table === 'hour_rollups') return { name: `${table}_p${year}`, from: startOf(year, 0), to: startOf(year + 1, 0) };
  return { name: `${table}_p${date.toISOString().slice(0, 7).replace('-', '')}`, from: startOf(year, month), to: startOf(year, month + 1) };
}

async function isPartitioned(client: PoolClient, table: RollupTable): Promise<boolean> {
  const { rows } = await client.query<{ partitioned: boolean }>(
    'select relkind = \'p\' as partitioned from pg_class where oid = to_regclass($1)', [table]);
  return rows[0]?.partitioned === true;
}

/** Names of the partitions, without the default one, with the end of each, epoch milliseconds. */
async function partitions(client: PoolClient, table: RollupTable): Promise<Map<string, number>> {
  const { rows } = await client.query<{ name: string; ends: number }>(
    `select c.relname as name, substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \\(''([^'']*)''\\)')::timestamptz as ends
     from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = to_regclass($1) and pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'`, [table]);
  return new Map(rows.map(({ name, ends }) => [name, ends]));
}

/** Makes what is missing. A table is made and then attached, so that readers are not locked out. */
export async function ensureRollupPartitions(
  client: PoolClient,
  table: RollupTable,
  times: readonly number[],
): Promise<void> {
  const wanted = new Map(times.flatMap((time) => {
    const period = rollupPartition(table, time);
    return period === null ? [] : [[period.name, period] as const];
  }));
  if (wanted.size === 0 || !(await isPartitioned(client, table))) return;
  const existing = await partitions(client, table);
  for (const { name, from, to } of wanted.values()) {
    if (existing.has(name)) continue;
    await inDdlTransaction(client, async () => {
      await client.query(`create table ${name} (like ${table} including defaults including constraints)`);
      await client.query(`alter table ${table} attach partition ${name} for values from ('${from}') to ('${to}')`);
    });
  }
}

/** Rows of a default partition deleted in one transaction. */
const DELETE_BATCH = 10_000;

async function dropPartitions(client: PoolClient, table: RollupTable, before: number): Promise<string[]> {
  const expired = [...await partitions(client, table)].filter(([, ends]) => ends <= before).map(([name]) => name);
  for (const name of expired) await inDdlTransaction(client, () => client.query(`drop table ${name}`));
  for (let deleted = DELETE_BATCH; deleted === DELETE_BATCH;) {
    const result = await client.query(
      `delete from ${table}_default where ctid = any(array(select ctid from ${table}_default where bucket < $1 limit ${DELETE_BATCH}))`,
      [new Date(before).toISOString()]);
    deleted = result.rowCount ?? 0;
  }
  return expired;
}

/**
 * Drops the partitions or chunks whose every instant is before `before`, which nobody asks for any more.
 * @param client holds the schema lock
 * @returns their names
 */
export function dropExpiredRollups(
  client: PoolClient,
  storage: Storage,
  table: RollupTable,
  before: number,
): Promise<string[]> {
  return storage === 'partitions'
    ? dropPartitions(client, table, before)
    : dropChunks(client, table, new Date(before).toISOString());
}
