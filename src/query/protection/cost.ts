/**
 * What a question would cost, in rows that the database has to read, and a refusal where that is too much. An estimate
 * from what `device_state` knows of each device: how many records it has, from when to when. That reads no history and
 * takes a millisecond; a device that sends at an uneven pace is estimated wrong by as much. What slips through ends at
 * QUERY_STATEMENT_TIMEOUT_MS.
 *
 * Errors: `Problem` `too_expensive`, and those of the database.
 */
import { Problem } from '../../http/problem.ts';
import type { TimeRange } from '../calendar/buckets.ts';
import type { Answering, Weight } from '../database.ts';
import type { DeviceFilter } from '../visible-devices.ts';

export interface Reading {
  readonly devices: DeviceFilter;
  readonly range: TimeRange;
  /** Of rollups: at most one row for each device and so many milliseconds. Of records: absent. */
  readonly resolutionMs?: number;
  /** How much more is done with a row than to add it up. Absent: 1. */
  readonly effort?: number;
}

export interface Cost {
  readonly rows: number;
  readonly weight: Weight;
}

/** Some tenths of a second. */
const EXPENSIVE_ROWS = 50_000;
/** A tracker whose clock once said 1970 has not sent for 56 years. */
const LONGEST = "interval '400 days'";
const MILLION = 1_000_000;

const ESTIMATE = `
  select coalesce(sum(least(
    case when span > 0 then records * greatest(0, least(ends, $2) - greatest(begins, $1)) / span
      when begins >= $1 and begins < $2 then records else 0 end,
    $3::float8)), 0)::float8 as rows
  from (
    select records::float8 as records, date_part('epoch', ts) as ends,
      date_part('epoch', greatest(first_ts, ts - ${LONGEST})) as begins,
      date_part('epoch', ts) - date_part('epoch', greatest(first_ts, ts - ${LONGEST})) as span
    from device_state
    where $4::bigint[] is null or device_id = any($4::bigint[])) s`;

/** `12.3 million`, `840,000`. */
export function rowsText(rows: number): string {
  if (rows >= MILLION) return `${(rows / MILLION).toFixed(rows < 10 * MILLION ? 1 : 0)} million`;
  return Math.round(rows).toLocaleString('en');
}

export class CostLimit {
  readonly #database: Answering;
  readonly #maxRows: number;
  readonly #onRefused: (rows: number) => void;

  constructor(database: Answering, maxRows: number, onRefused: (rows: number) => void) {
    this.#database = database;
    this.#maxRows = maxRows;
    this.#onRefused = onRefused;
  }

  async estimate({ devices, range, resolutionMs, effort = 1 }: Reading, signal: AbortSignal): Promise<Cost> {
    const { from, to } = range;
    const most = resolutionMs === undefined ? null : Math.ceil((to - from) / resolutionMs);
    const ids = devices.kind === 'all' ? null : devices.ids;
    const [answer] = await this.#database.ask<{ rows: number }>(
      { name: 'cost', text: ESTIMATE, values: [from / 1_000, to / 1_000, most ?? Number.MAX_VALUE, ids] }, signal);
    const rows = Math.round(answer?.rows ?? 0);
    return { rows, weight: rows * effort > EXPENSIVE_ROWS ? 'expensive' : 'cheap' };
  }

  /**
   * @param advice what the caller can do, after `narrow the range, or`
   * @throws Problem `too_expensive`
   */
  async admit(reading: Reading, advice: string, signal: AbortSignal): Promise<Cost> {
    const cost = await this.estimate(reading, signal);
    const most = this.#maxRows / (reading.effort ?? 1);
    if (cost.rows <= most) return cost;
    this.#onRefused(cost.rows);
    const detail = `this would read ${rowsText(cost.rows)} rows, and ${rowsText(most)} is the most; narrow the range, or ${advice}`;
    throw new Problem('too_expensive', detail);
  }
}
