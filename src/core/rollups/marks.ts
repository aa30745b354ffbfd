/**
 * What the writer owes the rollups: a mark for each hour of a tracker that gets a record and is rolled up already, or
 * is about to be; of an hour of which only minutes are, for each minute. Records of the last minutes, which is nearly
 * all of them, need none.
 *
 * A writer reads how far back it has to mark while it holds a lock that it shares with all other writers. Whoever moves
 * that boundary waits until those who may have read the old one are gone, so that no record is in neither. Nobody ever
 * waits for that lock. Marks are only added, so writers do not wait for each other either. Where an hour is rolled up
 * meanwhile of which the writer marks minutes, each of them stands for the hour.
 *
 * Errors: those of PostgreSQL. A mark stands or falls with the transaction of its records.
 */
import type { PoolClient, QueryResult } from 'pg';
import { LOCK_SPACE, ROLLUP_WRITER_LOCK } from '../../db/advisory-locks.ts';
import { MINUTE_MS } from '../../db/rollup-retention.ts';
import { rowsOf } from '../../db/rows.ts';
import type { PositionRow } from '../copy-rows.ts';

const MINUTES = 60;

/** One message, and so one wait, as for `begin` alone. Each statement sees what is committed by then. */
const BEGIN = `
  begin isolation level read committed;
  select pg_advisory_xact_lock_shared(${LOCK_SPACE}, ${ROLLUP_WRITER_LOCK});
  select mark_before as before, rolled_to as "minutesFrom" from rollup_state`;

const MARK = `
  insert into rollup_marks (device_id, hour, minute)
  select device_id, to_timestamp(hour * 3600::double precision), to_timestamp(minute * 60::double precision)
  from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as late (device_id, hour, minute)`;

/** Epoch milliseconds. */
export interface Marking {
  /** A record before it needs a mark. */
  readonly before: number;
  /** The mark of a record is of its minute from here on, a full hour, and of its hour before. */
  readonly minutesFrom: number;
}

/** Begins a transaction that writes positions. */
export async function beginMarking(client: PoolClient): Promise<Marking> {
  // For a message of several statements pg gives several results, which its types do not have.
  const results = (await client.query(BEGIN)) as unknown as readonly QueryResult<Marking>[];
  const marking = results.at(-1)?.rows[0];
  if (marking === undefined) throw new Error('rollup_state has no row');
  return marking;
}

/** Leaves the marks of those of the rows that need one. */
export async function markLate(
  client: PoolClient, rows: readonly PositionRow[], { before, minutesFrom }: Marking,
): Promise<void> {
  // By tracker, the first minutes of what is touched: a minute from `minutesFrom` on, else an hour.
  const late = new Map<number, Set<number>>();
  for (const { deviceId, record: { ts } } of rows) {
    if (ts >= before) continue;
    const width = ts < minutesFrom ? MINUTES : 1;
    const start = Math.floor(ts / (width * MINUTE_MS)) * width;
    const starts = late.get(deviceId);
    if (starts === undefined) late.set(deviceId, new Set([start]));
    else starts.add(start);
  }
  if (late.size === 0) return;
  const marks = [...late].flatMap(([deviceId, starts]) => [...starts].map((start) => ({ deviceId, start })));
  const values = [
    marks.map(({ deviceId }) => deviceId), marks.map(({ start }) => Math.floor(start / MINUTES)),
    marks.map(({ start }) => (start * MINUTE_MS < minutesFrom ? null : start)),
  ];
  await rowsOf(client, { name: 'mark-rollups', text: MARK, values });
}
