/**
 * One transaction: rows into `positions`, the newest state of their devices, marks for the rollups of what is late,
 * COMMIT. The fast way is a binary COPY straight into the table. Where a row is there already only what is not is
 * copied, and where that does not do the whole goes through a staging table, which leaves what is there untouched. All
 * of it is idempotent by `(device_id, ts, event_id)`.
 *
 * Errors: those of PostgreSQL; nothing of a failed call is stored. After a refusal of the data the transaction is over
 * and the connection is good; after any other error it is for the caller to close, which ends what was begun.
 */
import type { PoolClient } from 'pg';
import { rowsOf } from '../db/rows.ts';
import { classify } from '../db/sqlstate.ts';
import { copyIn } from './copy-in.ts';
import { copyMemory, forgetCopyMemory } from './copy-memory.ts';
import type { PositionRow } from './copy-rows.ts';
import { POSITION_COLUMNS, encodeCopy } from './copy-rows.ts';
import { updateDeviceState } from './device-state.ts';
import type { Repeats } from './repeats.ts';
import { areCheap, withoutStored } from './repeats.ts';
import type { Marking } from './rollups/marks.ts';
import { beginMarking, markLate } from './rollups/marks.ts';

export interface Stored {
  /** Those of the rows that were not there yet, in their order. */
  readonly inserted: readonly PositionRow[];
  readonly duplicates: number;
}

const COLUMNS = POSITION_COLUMNS.join(', ');

/** Emptied by every COMMIT; made once a connection. */
const CREATE_STAGING = `
  create temporary table if not exists staged_positions (like positions including defaults) on commit delete rows`;

const INSERT_STAGED = `
  insert into positions (${COLUMNS}) select ${COLUMNS} from staged_positions
  on conflict (device_id, ts, event_id) do nothing
  returning device_id, ts, event_id`;

interface Key {
  readonly device_id: number;
  readonly ts: number;
  readonly event_id: number;
}

/** The statement was understood and refused for its content: the connection goes on. */
function isRefusal(error: unknown): boolean {
  const { action } = classify(error);
  return action === 'data' || action === 'conflict';
}

async function inTransaction<T>(client: PoolClient, work: (marking: Marking) => Promise<T>): Promise<T> {
  const marking = await beginMarking(client);
  try {
    const result = await work(marking);
    await client.query('commit');
    return result;
  } catch (error) {
    // Anything but a refusal may be a server that no longer answers: asking it to roll back would be one more wait.
    if (isRefusal(error)) await client.query('rollback');
    throw error;
  }
}

async function copyRows(client: PoolClient, table: string, rows: readonly PositionRow[]): Promise<void> {
  try {
    await copyIn(client, `${table} (${COLUMNS})`, encodeCopy(rows, (bytes) => copyMemory(client, bytes)));
  } catch (error) {
    forgetCopyMemory(client);
    throw error;
  }
}

async function storeNew(client: PoolClient, rows: readonly PositionRow[]): Promise<Stored> {
  return inTransaction(client, async (marking) => {
    await copyRows(client, 'positions', rows);
    await updateDeviceState(client, rows);
    await markLate(client, rows, marking);
    return { inserted: rows, duplicates: 0 };
  });
}

/** The rows with these keys; of rows with one key the first, as PostgreSQL takes them. */
function rowsWithKeys(rows: readonly PositionRow[], keys: readonly Key[]): PositionRow[] {
  const wanted = new Set(keys.map((key) => `${key.device_id}/${key.ts}/${key.event_id}`));
  return rows.filter(({ deviceId, record }) => wanted.delete(`${deviceId}/${record.ts}/${record.eventId}`));
}

async function storeStaged(client: PoolClient, rows: readonly PositionRow[]): Promise<Stored> {
  await client.query(CREATE_STAGING);
  return inTransaction(client, async (marking) => {
    await copyRows(client, 'staged_positions', rows);
    const keys = await rowsOf<Key>(client, { name: 'insert-staged', text: INSERT_STAGED });
    const inserted = rowsWithKeys(rows, keys);
    await updateDeviceState(client, inserted);
    await markLate(client, inserted, marking);
    return { inserted, duplicates: rows.length - inserted.length };
  });
}

async function storeUnknown(client: PoolClient, rows: readonly PositionRow[]): Promise<Stored> {
  const unknown = await withoutStored(client, rows);
  if (unknown.length > 0) await storeNew(client, unknown);
  return { inserted: unknown, duplicates: rows.length - unknown.length };
}

type Way = (client: PoolClient, rows: readonly PositionRow[]) => Promise<Stored>;

/** Each of these can meet a row that the one before it did not expect, but the last. */
function waysFor(rows: readonly PositionRow[], repeats: Repeats): Way[] {
  return [...(repeats.areExpected ? [] : [storeNew]), ...(areCheap(rows) ? [storeUnknown] : []), storeStaged];
}

/** Stores every row that is not there yet. @throws what PostgreSQL says, with nothing stored. */
export async function storePositions(
  client: PoolClient, rows: readonly PositionRow[], repeats: Repeats,
): Promise<Stored> {
  let refusal: unknown;
  for (const way of waysFor(rows, repeats)) {
    try {
      const stored = await way(client, rows);
      repeats.saw(stored.duplicates);
      return stored;
    } catch (error) {
      if (classify(error).action !== 'conflict') throw error;
      refusal = error;
    }
  }
  throw refusal;
}
