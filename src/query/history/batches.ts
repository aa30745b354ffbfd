/**
 * The rows of a history, some at a time: all of them, or those that a simplification leaves. Nobody has more than a
 * batch in hand, and the next one is asked for when the last was taken. Never an empty batch. Errors: `Problem`.
 */
import { Problem } from '../../http/problem.ts';
import type { Answering, TextRow } from '../database.ts';
import { douglasPeucker } from './simplify/douglas-peucker.ts';
import type { Line } from './simplify/plane.ts';
import { visvalingam } from './simplify/visvalingam.ts';
import type { Place, Track } from './track.ts';
import { LATITUDE_AT, LONGITUDE_AT, pageQuestion, placeOf, placesQuestion } from './track.ts';

export type Batches = AsyncIterable<readonly TextRow[]>;

export interface Reading {
  readonly database: Answering;
  readonly track: Track;
  readonly fields: readonly string[];
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

export const BATCH_ROWS = 1_000;
/** Rows without anything but their place. */
const PLACES_BATCH_ROWS = 10_000;
/** Some 20 MB while the points are chosen. */
export const MAX_POINTS = 200_000;

/** All rows from behind `after` on. */
export async function* allRows(
  { database, track, fields, signal }: Reading,
  { after = null, batchRows = BATCH_ROWS }: { readonly after?: Place | null; readonly batchRows?: number } = {},
): AsyncGenerator<readonly TextRow[]> {
  for (let place = after; ;) {
    const rows = await database.askText(pageQuestion(track, fields, { after: place, limit: batchRows }), signal);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    if (rows.length < batchRows) return;
    place = placeOf(last);
  }
}

function lineOf(rows: readonly TextRow[]): Line {
  return {
    latitudes: rows.map((row) => Number(row[LATITUDE_AT])),
    longitudes: rows.map((row) => Number(row[LONGITUDE_AT])),
  };
}

function rowsAt(rows: readonly TextRow[], indexes: readonly number[]): TextRow[] {
  return indexes.map((index) => rows[index]).filter((row) => row !== undefined);
}

/**
 * The rows that remain when every row which is left out may be `toleranceM` metres off the line. The last row of every
 * batch remains, so the bound holds over all of them.
 */
export async function* withinTolerance(batches: Batches, toleranceM: number): AsyncGenerator<readonly TextRow[]> {
  let anchor: TextRow | null = null;
  for await (const rows of batches) {
    const piece: readonly TextRow[] = anchor === null ? rows : [anchor, ...rows];
    const kept = rowsAt(piece, douglasPeucker(lineOf(piece), toleranceM));
    yield anchor === null ? kept : kept.slice(1);
    anchor = rows.at(-1) ?? anchor;
  }
}

/** The places of up to `count` rows that show the shape of the track best. */
async function bestPlaces(reading: Reading, count: number): Promise<Place[]> {
  const places: Place[] = [];
  const latitudes: number[] = [];
  const longitudes: number[] = [];
  for await (const rows of allRows({ ...reading, fields: [] }, { batchRows: PLACES_BATCH_ROWS })) {
    for (const row of rows) {
      places.push(placeOf(row));
      latitudes.push(Number(row[LATITUDE_AT]));
      longitudes.push(Number(row[LONGITUDE_AT]));
    }
    if (places.length <= MAX_POINTS) continue;
    throw new Problem('too_expensive', `this would choose among more than ${MAX_POINTS} positions; narrow the range, or simplify by a tolerance (simplify=10m)`);
  }
  const kept = await visvalingam({ latitudes, longitudes }, count, reading.signal);
  return kept.flatMap((index) => places[index] ?? []);
}

/** Up to `count` rows that show the shape of the track best. @throws Problem `too_expensive` */
export async function* bestRows(reading: Reading, count: number): AsyncGenerator<readonly TextRow[]> {
  const places = await bestPlaces(reading, count);
  for (let start = 0; start < places.length; start += BATCH_ROWS) {
    const some = places.slice(start, start + BATCH_ROWS);
    const rows = await reading.database.askText(placesQuestion(reading.track, reading.fields, some), reading.signal);
    if (rows.length > 0) yield rows;
  }
}
