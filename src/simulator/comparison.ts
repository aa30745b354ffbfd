/**
 * What was acknowledged to one tracker against what the database has of it. Pure: keys and rows in, counts out.
 *
 * Lost: acknowledged, and not stored as it was sent. Duplicated: stored more than once, or stored and never sent.
 * Stored without an acknowledgement is neither: the server may have kept a frame whose acknowledgement got lost.
 */
import { keyEventId, keyTime, recordKey } from './record-queue.ts';
import type { Vehicle } from './vehicle.ts';
import { vehicleRecord } from './vehicle.ts';

/** One row of positions. */
export interface StoredRow {
  /** Epoch milliseconds; a fraction where the database has one. */
  readonly ts: number;
  readonly eventId: number;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly speed: number | null;
  readonly receivedAt: number;
}

/** What one tracker did. */
export interface Expectation {
  readonly vehicle: Vehicle;
  /** Keys of acknowledged records, sorted. */
  readonly acknowledged: Float64Array;
  /** Keys of records that were or may have been sent, without an acknowledgement. */
  readonly unacknowledged: ReadonlySet<number>;
  /** Epoch milliseconds: rows received before belong to an earlier run. */
  readonly startedAt: number;
}

export interface Verification {
  /** Acknowledged records compared. */
  readonly compared: number;
  /** Acknowledged and missing, or stored with another position or speed. */
  readonly lost: number;
  /** Of those lost, how many are stored with another position or speed. */
  readonly altered: number;
  /** Rows too many: a second row of a key, or a row that was never sent. */
  readonly duplicated: number;
  readonly neverSent: number;
  readonly unacknowledgedStored: number;
  /** The first few records lost or duplicated, in words. */
  readonly examples: readonly string[];
}

export const NOTHING_COMPARED: Verification = {
  compared: 0, lost: 0, altered: 0, duplicated: 0, neverSent: 0, unacknowledgedStored: 0, examples: [],
};

const MOST_EXAMPLES = 5;
const DEGREE_UNITS = 1e7;

/** The sum of two verifications. */
export function add(one: Verification, other: Verification): Verification {
  return {
    compared: one.compared + other.compared,
    lost: one.lost + other.lost,
    altered: one.altered + other.altered,
    duplicated: one.duplicated + other.duplicated,
    neverSent: one.neverSent + other.neverSent,
    unacknowledgedStored: one.unacknowledgedStored + other.unacknowledgedStored,
    examples: [...one.examples, ...other.examples].slice(0, MOST_EXAMPLES),
  };
}

/** Compares one tracker: give it all rows of the time in question, ordered by time and event id, then `finish`. */
export class Comparison {
  readonly #expectation: Expectation;
  readonly #examples: string[] = [];
  #next = 0;
  #lastKey = Number.NaN;
  #missing = 0;
  #altered = 0;
  #repeated = 0;
  #neverSent = 0;
  #unacknowledgedStored = 0;

  constructor(expectation: Expectation) {
    this.#expectation = expectation;
  }

  row(row: StoredRow): void {
    const key = keyOf(row);
    if (key === this.#lastKey) {
      this.#repeated += 1;
      this.#example('stored twice', row);
      return;
    }
    this.#lastKey = key;
    this.#passMissing(key);
    if (this.#expectation.acknowledged[this.#next] === key) {
      this.#next += 1;
      if (!isAsSent(this.#expectation.vehicle, row)) {
        this.#altered += 1;
        this.#example('stored with another position or speed', row);
      }
    } else if (this.#expectation.unacknowledged.has(key)) {
      this.#unacknowledgedStored += 1;
    } else if (row.receivedAt >= this.#expectation.startedAt) {
      this.#neverSent += 1;
      this.#example('stored and never sent', row);
    }
  }

  finish(): Verification {
    this.#passMissing(Infinity);
    return {
      compared: this.#expectation.acknowledged.length,
      lost: this.#missing + this.#altered,
      altered: this.#altered,
      duplicated: this.#repeated + this.#neverSent,
      neverSent: this.#neverSent,
      unacknowledgedStored: this.#unacknowledgedStored,
      examples: this.#examples,
    };
  }

  /** Acknowledged records before `key` have no row. */
  #passMissing(key: number): void {
    for (;;) {
      const expected = this.#expectation.acknowledged[this.#next];
      if (expected === undefined || expected >= key) return;
      this.#next += 1;
      this.#missing += 1;
      this.#example('acknowledged and not stored', { ts: keyTime(expected), eventId: keyEventId(expected) });
    }
  }

  #example(what: string, { ts, eventId }: Pick<StoredRow, 'ts' | 'eventId'>): void {
    if (this.#examples.length >= MOST_EXAMPLES) return;
    this.#examples.push(`${this.#expectation.vehicle.imei} at ${new Date(ts).toISOString()} event ${eventId}: ${what}`);
  }
}

/** A row with a key that no tracker makes sorts where it stands and equals none. */
function keyOf(row: StoredRow): number {
  const key = recordKey(row.ts, row.eventId);
  return keyTime(key) === row.ts && keyEventId(key) === row.eventId ? key : recordKey(Math.floor(row.ts), 255) + 0.5;
}

function isAsSent(vehicle: Vehicle, row: StoredRow): boolean {
  const sent = vehicleRecord(vehicle, row.ts, row.eventId);
  return row.latitude !== null && row.longitude !== null && row.speed !== null
    && Math.round(row.latitude * DEGREE_UNITS) === Math.round(sent.latitude * DEGREE_UNITS)
    && Math.round(row.longitude * DEGREE_UNITS) === Math.round(sent.longitude * DEGREE_UNITS)
    && Math.abs(row.speed - sent.speed) < 0.01;
}
