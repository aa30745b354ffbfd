/**
 * What the writer owes the rollups: a mark for each hour of a tracker that gets a record and is rolled up already, or
 * is about to be. Records of the present hours, which is nearly all of them, need none.
 *
 * A writer reads how far back it has to mark while it holds a lock that it shares with all other writers. Whoever moves
 * that boundary waits until those who may have read the old one are gone, so that no record is in neither. Nobody ever
 * waits for that lock. Marks are only added, so writers do not wait for each other either.
 *
 * Errors: those of PostgreSQL. A mark stands or falls with the transaction of its records.
 */
import type { PoolClient, QueryResult } from 'pg';
import { LOCK_SPACE, ROLLUP_WRITER_LOCK } from '../../db/advisory-locks.ts';
import type { PositionRow } from '../copy-rows.ts';

const HOUR_MS = 3_600_000;

/** One message, and so one wait, as for `begin` alone. Each statement sees what is committed by then. */
const BEGIN = `
  begin isolation level read committed;
  select pg_advisory_xact_lock_shared(${LOCK_SPACE}, ${ROLLUP_WRITER_LOCK});
  select mark_before from rollup_state`;

const MARK = `
  insert into rollup_marks (device_id, hour)
  select device_id, to_timestamp(hour * 3600::double precision)
  from unnest($1::bigint[], $2::bigint[]) as late (device_id, hour)`;

/**
 * Begins a transaction that writes positions.
 * @returns the time before which a record needs a mark, epoch milliseconds
 */
export async function beginMarking(client: PoolClient): Promise<number> {
  // For a message of several statements pg gives several results, which its types do not have.
  const results = (await client.query(BEGIN)) as unknown as readonly QueryResult<{ mark_before: number }>[];
  const markBefore = results.at(-1)?.rows[0]?.mark_before;
  if (markBefore === undefined) throw new Error('rollup_state has no row');
  return markBefore;
}

/** Marks the hours of those of the rows that are before `markBefore`. */
export async function markLate(client: PoolClient, rows: readonly PositionRow[], markBefore: number): Promise<void> {
  const late = new Map<number, Set<number>>();
  for (const { deviceId, record } of rows) {
    if (record.ts >= markBefore) continue;
    const hours = late.get(deviceId);
    const hour = Math.floor(record.ts / HOUR_MS);
    if (hours === undefined) late.set(deviceId, new Set([hour]));
    else hours.add(hour);
  }
  if (late.size === 0) return;
  const marks = [...late].flatMap(([deviceId, hours]) => [...hours].map((hour) => ({ deviceId, hour })));
  const values = [marks.map(({ deviceId }) => deviceId), marks.map(({ hour }) => hour)];
  await client.query({ name: 'mark-rollups', text: MARK, values });
}
