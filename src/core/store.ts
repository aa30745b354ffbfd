/**
 * One transaction: rows into `positions`, the newest state of their devices, COMMIT. The fast way is a binary COPY
 * straight into the table; where a row is there already the whole goes again through a staging table, which leaves what
 * is there untouched. Both are idempotent by `(device_id, ts, event_id)`.
 *
 * Errors: those of PostgreSQL, after ROLLBACK; nothing of a failed call is stored.
 */
import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { classify } from '../db/sqlstate.ts';
import type { PositionRow } from './copy-rows.ts';
import { POSITION_COLUMNS, encodeCopy } from './copy-rows.ts';
import type { InsertedByDevice } from './device-state.ts';
import { updateDeviceState } from './device-state.ts';

export interface Stored {
  readonly inserted: number;
  readonly duplicates: number;
}

const COLUMNS = POSITION_COLUMNS.join(', ');
const COPY_POSITIONS = `copy positions (${COLUMNS}) from stdin (format binary)`;
const COPY_STAGING = `copy staged_positions (${COLUMNS}) from stdin (format binary)`;

/** Emptied by every COMMIT; made once a connection. */
const CREATE_STAGING = `
  create temporary table if not exists staged_positions (like positions including defaults) on commit delete rows`;

const INSERT_STAGED = `
  with inserted as (
    insert into positions (${COLUMNS}) select ${COLUMNS} from staged_positions
    on conflict (device_id, ts, event_id) do nothing
    returning device_id, ts)
  select device_id, count(*) as records, min(ts) as first_ts from inserted group by device_id`;

interface InsertedRow {
  readonly device_id: number;
  readonly records: number;
  readonly first_ts: number;
}

async function copy(client: PoolClient, statement: string, rows: readonly PositionRow[]): Promise<void> {
  await pipeline([encodeCopy(rows)], client.query(copyFrom(statement)));
}

async function inTransaction<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    // A connection that is lost has rolled back by itself; the first error is the one that says what happened.
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

function countByDevice(rows: readonly PositionRow[]): InsertedByDevice {
  const counts = new Map<number, { records: number; firstTs: number }>();
  for (const { deviceId, record } of rows) {
    const own = counts.get(deviceId);
    if (own === undefined) {
      counts.set(deviceId, { records: 1, firstTs: record.ts });
      continue;
    }
    own.records += 1;
    own.firstTs = Math.min(own.firstTs, record.ts);
  }
  return counts;
}

async function storeNew(client: PoolClient, rows: readonly PositionRow[]): Promise<Stored> {
  return inTransaction(client, async () => {
    await copy(client, COPY_POSITIONS, rows);
    await updateDeviceState(client, rows, countByDevice(rows));
    return { inserted: rows.length, duplicates: 0 };
  });
}

async function storeStaged(client: PoolClient, rows: readonly PositionRow[]): Promise<Stored> {
  await client.query(CREATE_STAGING);
  return inTransaction(client, async () => {
    await copy(client, COPY_STAGING, rows);
    const { rows: counts } = await client.query<InsertedRow>({ name: 'insert-staged', text: INSERT_STAGED });
    const inserted = new Map(counts.map((row) => [row.device_id, { records: row.records, firstTs: row.first_ts }]));
    await updateDeviceState(client, rows, inserted);
    const total = counts.reduce((sum, { records }) => sum + records, 0);
    return { inserted: total, duplicates: rows.length - total };
  });
}

/** Stores every row that is not there yet. @throws what PostgreSQL says, with nothing stored. */
export async function storePositions(client: PoolClient, rows: readonly PositionRow[]): Promise<Stored> {
  try {
    return await storeNew(client, rows);
  } catch (error) {
    if (classify(error).action !== 'conflict') throw error;
    return storeStaged(client, rows);
  }
}
