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
import type { Source } from '../series/routing.ts';
import { RESOLUTION_MS } from '../series/routing.ts';
import type { DeviceFilter } from '../visible-devices.ts';
import { RECORDS_COST, ROLLUPS_COST } from './cost-sql.ts';

export interface Reading {
  readonly devices: DeviceFilter;
  readonly range: TimeRange;
  /** Of what level of the history. What is not rolled up yet is read from the records all the same. */
  readonly source: Source;
  /** How much more is done with a row than to add it up. Absent: 1. */
  readonly effort?: number;
}

export interface Cost {
  readonly rows: number;
  /** Those of `rows` that are records which a question to rollups has to read, since they are not rolled up. */
  readonly unrolled: number;
  /** All before is rolled up by hour, but for late records; epoch ms. null: nothing is, or rollups are not asked. */
  readonly hoursTo: number | null;
  /** The same by minute. */
  readonly minutesTo: number | null;
  readonly weight: Weight;
}

/** Some tenths of a second. */
const EXPENSIVE_ROWS = 50_000;
const MILLION = 1_000_000;
const SECOND_MS = 1_000;

/** `12.3 million`, `840,000`. */
export function rowsText(rows: number): string {
  if (rows >= MILLION) return `${(rows / MILLION).toFixed(rows < 10 * MILLION ? 1 : 0)} million`;
  return Math.round(rows).toLocaleString('en');
}

/** What to say of the records that a question to rollups meets. */
function unrolledText({ unrolled, minutesTo }: Cost): string {
  if (Math.round(unrolled) === 0) return '';
  const since = minutesTo === null ? '' : `; all before ${new Date(minutesTo).toISOString()} is, but for late records`;
  return ` (${rowsText(unrolled)} of them records that are not rolled up yet${since})`;
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

  async estimate({ devices, range: { from, to }, source, effort = 1 }: Reading, signal: AbortSignal): Promise<Cost> {
    const values = [from / SECOND_MS, to / SECOND_MS, devices.kind === 'all' ? null : devices.ids];
    const question = source === 'raw'
      ? { name: 'cost', text: RECORDS_COST, values }
      : { name: `cost-${source}`, text: ROLLUPS_COST[source], values: [...values, Math.ceil((to - from) / RESOLUTION_MS[source])] };
    const [answer] = await this.#database.ask<Omit<Cost, 'weight'>>(question, signal);
    const { rows = 0, unrolled = 0, hoursTo = null, minutesTo = null } = answer ?? {};
    const inMs = (seconds: number | null): number | null => (seconds === null ? null : seconds * SECOND_MS);
    return {
      rows: Math.round(rows), unrolled, hoursTo: inMs(hoursTo), minutesTo: inMs(minutesTo),
      weight: rows * effort > EXPENSIVE_ROWS ? 'expensive' : 'cheap',
    };
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
    const detail = `this would read ${rowsText(cost.rows)} rows${unrolledText(cost)}, and ${rowsText(most)} is the most; narrow the range, or ${advice}`;
    throw new Problem('too_expensive', detail);
  }
}
