import { describe, expect, it } from 'vitest';
import type { StoredRow, Verification } from '../../src/simulator/comparison.ts';
import { add, Comparison, NOTHING_COMPARED } from '../../src/simulator/comparison.ts';
import { keyEventId, keyTime, recordKey } from '../../src/simulator/record-queue.ts';
import { createVehicle, IGNITION_EVENT_ID, vehicleRecord } from '../../src/simulator/vehicle.ts';

const START = Date.UTC(2026, 5, 1, 12);
const vehicle = createVehicle('356307042441013');
const keys = [0, 1, 2, 3].map((second) => recordKey(START + second * 1_000, 0));
const UNACKNOWLEDGED = recordKey(START + 4_000, 0);

function row(key: number, change: Partial<StoredRow> = {}): StoredRow {
  const ts = keyTime(key);
  const eventId = keyEventId(key);
  const { latitude, longitude, speed } = vehicleRecord(vehicle, ts, eventId);
  return { ts, eventId, latitude, longitude, speed, receivedAt: START + 10_000, ...change };
}

function compare(rows: readonly StoredRow[], acknowledged: readonly number[] = keys): Verification {
  const comparison = new Comparison({
    vehicle, acknowledged: Float64Array.from(acknowledged), unacknowledged: new Set([UNACKNOWLEDGED]), startedAt: START,
  });
  for (const stored of rows) comparison.row(stored);
  return comparison.finish();
}

const all = keys.map((key) => row(key));

describe('Comparison', () => {
  it('finds nothing where every acknowledged record is stored once as it was sent', () => {
    expect(compare(all)).toEqual({ ...NOTHING_COMPARED, compared: 4 });
  });

  it.each([0, 1, 3])('finds acknowledged record %d lost when it is not stored', (missing) => {
    const result = compare(all.toSpliced(missing, 1));
    expect(result).toMatchObject({ lost: 1, altered: 0, duplicated: 0 });
    expect(result.examples).toEqual([
      `356307042441013 at ${new Date(START + missing * 1_000).toISOString()} event 0: acknowledged and not stored`,
    ]);
  });

  it('finds all lost where nothing is stored', () => {
    expect(compare([])).toMatchObject({ compared: 4, lost: 4, duplicated: 0 });
  });

  it('finds a record stored twice', () => {
    expect(compare(all.toSpliced(1, 0, all[1]!))).toMatchObject({ lost: 0, duplicated: 1, neverSent: 0 });
  });

  it.each<[string, Partial<StoredRow>]>([
    ['latitude', { latitude: all[1]!.latitude! + 1e-7 }],
    ['longitude', { longitude: all[1]!.longitude! - 1e-7 }],
    ['speed', { speed: all[1]!.speed! + 1 }],
    ['no position', { latitude: null, longitude: null }],
    ['no speed', { speed: null }],
  ])('finds a record lost that is stored with another value: %s', (_what, change) => {
    expect(compare(all.with(1, row(keys[1]!, change)))).toMatchObject({ lost: 1, altered: 1, duplicated: 0 });
  });

  it('takes a position for equal within the 1e-7 degrees that a tracker sends', () => {
    expect(compare(all.with(1, row(keys[1]!, { latitude: all[1]!.latitude! + 1e-9 })))).toMatchObject({ lost: 0 });
  });

  it('finds rows that were never sent: another time, another event, a time between milliseconds', () => {
    const strangers = [
      row(recordKey(START + 500, 0)),
      row(keys[0]!, { eventId: IGNITION_EVENT_ID }),
      row(keys[0]!, { ts: START + 0.5 }),
      row(keys[0]!, { eventId: 70_000 }),
    ];
    for (const stranger of strangers) {
      const rows = [...all, stranger].toSorted((one, other) => one.ts - other.ts || one.eventId - other.eventId);
      expect(compare(rows)).toMatchObject({ lost: 0, duplicated: 1, neverSent: 1 });
    }
  });

  it('passes over rows of an earlier run', () => {
    const earlier = row(recordKey(START + 500, 0), { receivedAt: START - 1 });
    expect(compare([all[0]!, earlier, ...all.slice(1)])).toMatchObject({ lost: 0, duplicated: 0 });
  });

  it('counts a record stored without an acknowledgement and holds it against nobody', () => {
    expect(compare([...all, row(UNACKNOWLEDGED)])).toMatchObject({ lost: 0, duplicated: 0, unacknowledgedStored: 1 });
  });

  it('tells an event from the periodic record of the same instant', () => {
    const both = [keys[0]!, recordKey(START, IGNITION_EVENT_ID)];
    expect(compare(both.map((key) => row(key)), both)).toMatchObject({ compared: 2, lost: 0, duplicated: 0 });
    expect(compare([row(both[0]!)], both)).toMatchObject({ lost: 1 });
  });
});

describe('add', () => {
  it('sums up, and keeps the first five examples', () => {
    const one = compare([]);
    const sum = add(add(one, one), compare([...all, row(UNACKNOWLEDGED)]));
    expect(sum).toMatchObject({ compared: 12, lost: 8, unacknowledgedStored: 1 });
    expect(sum.examples).toHaveLength(5);
  });
});
