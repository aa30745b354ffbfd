/**
 * Records that come again: after a lost acknowledgement a tracker sends its frames once more, and after a crash the
 * stream delivers again. One row that is there already makes a COPY fail as a whole, so where some have come lately the
 * keys are looked up first, and only what is new is copied.
 */
import type { PoolClient } from 'pg';
import { rowsOf } from '../db/rows.ts';
import { BinaryWriter, FIXED_VALUE_BYTES, encodeArray } from './binary-format.ts';
import type { PositionRow } from './copy-rows.ts';

/** Batches without one after which the next COPY is tried without looking. */
const REMEMBERED_BATCHES = 20;

export class Repeats {
  #left = 0;

  get areExpected(): boolean {
    return this.#left > 0;
  }

  /** A batch was stored with so many rows that were there already. */
  saw(duplicates: number): void {
    this.#left = duplicates > 0 ? REMEMBERED_BATCHES : Math.max(0, this.#left - 1);
  }
}

/**
 * The range of time lets the planner leave out all other days of history. No name: a plan that is kept would have to do
 * for every range.
 */
const FIND_STORED = `
  select n from unnest($1::int8[], $2::timestamptz[], $3::int4[]) with ordinality as given (device_id, ts, event_id, n)
  join positions using (device_id, ts, event_id)
  where positions.ts between $4 and $5`;

/** In each of more days than this every key would be looked up. */
const MAX_SPAN_MS = 2 * 24 * 3_600_000;

function rangeOf(rows: readonly PositionRow[]): { from: number; to: number } {
  let [from, to] = [Infinity, -Infinity];
  for (const { record: { ts } } of rows) {
    if (ts < from) from = ts;
    if (ts > to) to = ts;
  }
  return { from, to };
}

/** A parameter in the binary format, without the length that stands before it elsewhere. */
function timestamp(epochMs: number): Buffer {
  const writer = new BinaryWriter(Buffer.allocUnsafe(FIXED_VALUE_BYTES));
  writer.timestamptz(epochMs);
  return writer.finish().subarray(4);
}

/** Whether looking up the keys of these rows costs less than staging them. */
export function areCheap(rows: readonly PositionRow[]): boolean {
  const { from, to } = rangeOf(rows);
  return to - from <= MAX_SPAN_MS;
}

/** Of the rows that are not in the table, those with different keys, the first of each. */
export async function withoutStored(client: PoolClient, rows: readonly PositionRow[]): Promise<PositionRow[]> {
  const { from, to } = rangeOf(rows);
  const keys = [
    encodeArray('int8', rows, (writer, { deviceId }) => { writer.int8(deviceId); }),
    encodeArray('timestamptz', rows, (writer, { record }) => { writer.timestamptz(record.ts); }),
    encodeArray('int4', rows, (writer, { record }) => { writer.int4(record.eventId); }),
  ];
  const values = [...keys, timestamp(from), timestamp(to)];
  const found = await rowsOf<{ n: number }>(client, { text: FIND_STORED, values });
  const stored = new Set(found.map(({ n }) => n - 1));
  const seen = new Set<string>();
  return rows.filter(({ deviceId, record }, index) => {
    const key = `${deviceId}/${record.ts}/${record.eventId}`;
    if (stored.has(index) || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
