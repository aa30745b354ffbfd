/**
 * Compares the whole fleet with the database, waiting for the database to catch up: trackers with records missing are
 * looked at again until none is missing, or until nothing more has arrived for the time-out.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { asError } from '../shared/errors.ts';
import type { Expectation, Verification } from './comparison.ts';
import { add, Comparison, NOTHING_COMPARED } from './comparison.ts';
import { keyTime } from './record-queue.ts';
import type { StoredPositions } from './stored-positions.ts';
import type { Tracker } from './tracker.ts';

export interface VerificationOptions {
  /** Give up when nothing more has arrived for so long. */
  readonly timeoutMs: number;
  /** Lends the database for one round: each round may find it at another address. */
  readonly read: (compare: (database: StoredPositions) => Promise<Round>) => Promise<Round>;
  /** Told after each round that is not the last how things stand. */
  readonly onRound: (state: string) => void;
}

const ROUND_INTERVAL_MS = 1_000;
const DEVICES_AT_ONCE = 4;
const IDS_AT_ONCE = 5_000;
const RECORDS_AT_ONCE = 10_000;

/** What a tracker's run lets the database be expected to have. */
export function expectationOf(tracker: Pick<Tracker, 'vehicle' | 'queue'>, startedAt: number): Expectation {
  return {
    vehicle: tracker.vehicle,
    acknowledged: tracker.queue.acknowledgedKeys(),
    unacknowledged: new Set(tracker.queue.frame),
    startedAt,
  };
}

/**
 * @param trackers of a run that began at `startedAt` (epoch milliseconds) and has ended
 * @throws what the database throws, when it has been throwing for the time-out
 */
export async function verifyFleet(
  trackers: readonly Tracker[], startedAt: number, options: VerificationOptions,
): Promise<Verification> {
  let total = NOTHING_COMPARED;
  let left = trackers;
  let fewestMissing = Infinity;
  let lastProgress = performance.now();
  for (;;) {
    const remaining = left;
    const round = await options.read((database) => compareAll(remaining, startedAt, database)).catch(asError);
    const isTimeOut = performance.now() - lastProgress >= options.timeoutMs;
    if (round instanceof Error) {
      if (isTimeOut) throw round;
      options.onRound(round.message);
    } else {
      total = add(total, round.complete);
      left = round.incompleteTrackers;
      const missing = round.incomplete.lost - round.incomplete.altered;
      if (missing === 0 || (isTimeOut && missing >= fewestMissing)) return add(total, round.incomplete);
      if (missing < fewestMissing) lastProgress = performance.now();
      fewestMissing = Math.min(fewestMissing, missing);
      options.onRound(`${missing} records not in the database yet`);
    }
    await sleep(ROUND_INTERVAL_MS);
  }
}

/** What one look at the database found. */
export interface Round {
  /** Of the trackers that miss nothing. */
  readonly complete: Verification;
  /** Of the others. */
  readonly incomplete: Verification;
  readonly incompleteTrackers: readonly Tracker[];
}

async function compareAll(trackers: readonly Tracker[], startedAt: number, database: StoredPositions): Promise<Round> {
  const ids = await deviceIds(trackers, database);
  let complete = NOTHING_COMPARED;
  let incomplete = NOTHING_COMPARED;
  const incompleteTrackers: Tracker[] = [];
  const remaining = trackers.values();
  const compareSome = async (): Promise<void> => {
    for (const tracker of remaining) {
      const expectation = expectationOf(tracker, startedAt);
      const result = await compare(expectation, ids.get(tracker.vehicle.imei), database);
      if (result.lost === result.altered) {
        complete = add(complete, result);
        continue;
      }
      incomplete = add(incomplete, result);
      incompleteTrackers.push(tracker);
    }
  };
  await Promise.all(Array.from({ length: DEVICES_AT_ONCE }, compareSome));
  return { complete, incomplete, incompleteTrackers };
}

async function deviceIds(
  trackers: readonly Tracker[], database: StoredPositions,
): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (let first = 0; first < trackers.length; first += IDS_AT_ONCE) {
    const imeis = trackers.slice(first, first + IDS_AT_ONCE).map(({ vehicle }) => vehicle.imei);
    for (const [imei, id] of await database.deviceIds(imeis)) ids.set(imei, id);
  }
  return ids;
}

async function compare(
  expectation: Expectation, deviceId: string | undefined, database: StoredPositions,
): Promise<Verification> {
  const comparison = new Comparison(expectation);
  const times = slices(expectation);
  for (let slice = 1; slice < times.length && deviceId !== undefined; slice += 1) {
    const rows = await database.rows(deviceId, times[slice - 1] ?? 0, times[slice] ?? 0);
    for (const row of rows) comparison.row(row);
  }
  return comparison.finish();
}

/** Times (epoch milliseconds) that cut the tracker's run into slices of so many records; empty where it has none. */
function slices({ acknowledged, unacknowledged }: Expectation): number[] {
  const keys = [...unacknowledged];
  const first = Math.min(acknowledged[0] ?? Infinity, ...keys);
  const last = Math.max(acknowledged.at(-1) ?? -Infinity, ...keys);
  if (first > last) return [];
  const times = [keyTime(first)];
  for (let index = RECORDS_AT_ONCE; index < acknowledged.length; index += RECORDS_AT_ONCE) {
    times.push(keyTime(acknowledged[index] ?? last));
  }
  times.push(keyTime(last) + 1);
  return times;
}
