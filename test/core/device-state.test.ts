/** What the rows of a batch say about their devices: the newest, the newest place, and how many. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PositionRow } from '../../src/core/copy-rows.ts';
import { summarise } from '../../src/core/device-state.ts';

type Fields = Partial<PositionRow['record']> & { receivedAt?: number };

function row(deviceId: number, ts: number, fields: Fields = {}): PositionRow {
  const { receivedAt = ts, ...own } = fields;
  const record = {
    ts, latitude: 1, longitude: 2, altitude: null, course: null, speed: null, satellites: null, hdop: null,
    valid: true, priority: 0, eventId: 0, attributesJson: Buffer.from('{}'), ...own,
  };
  return { deviceId, receivedAt, record };
}

describe('summarise', () => {
  test('takes the newest by time, then by event', () => {
    const rows = [[5, 1], [5, 3], [5, 2], [4, 9]].map(([ts = 0, eventId = 0]) => row(1, ts, { eventId }));
    expect(summarise(rows).get(1)?.newest).toBe(rows[1]);
  });

  test('takes the newest place from a record that has coordinates', () => {
    const rows = [row(1, 1), row(1, 3, { latitude: null, longitude: null }), row(1, 2)];
    expect(summarise(rows).get(1)).toMatchObject({ newest: rows[1], place: rows[2] });
  });

  test('knows no place where no record has one', () => {
    expect(summarise([row(1, 1, { latitude: null, longitude: null })]).get(1)?.place).toBeNull();
  });

  test('counts, and knows the oldest time and the last receipt', () => {
    const rows = [row(1, 5, { receivedAt: 70 }), row(1, 3, { receivedAt: 90 }), row(1, 4, { receivedAt: 80 })];
    expect(summarise(rows).get(1)).toMatchObject({ records: 3, firstTs: 3, lastReceivedAt: 90 });
  });

  test('keeps devices apart', () => {
    const rows = [row(1, 1), row(2, 2)];
    expect([...summarise(rows).keys()]).toEqual([1, 2]);
    expect(summarise([]).size).toBe(0);
  });

  test('is the same in every order of the rows', () => {
    const keys = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(5), fc.nat(2)), { selector: String });
    const fixes = fc.array(fc.boolean(), { minLength: 60 });
    const property = fc.property(keys, fixes, fc.func(fc.nat()), (found, hasNoFix, rank) => {
      const rows = found.map(([device, ts, eventId], index) =>
        row(device, ts, { eventId, ...(hasNoFix[index] === true && { latitude: null, longitude: null }) }));
      const shuffled = rows.toSorted((a, b) => rank(a.deviceId, a.record.ts, a.record.eventId)
        - rank(b.deviceId, b.record.ts, b.record.eventId));
      expect(new Map([...summarise(shuffled)].sort())).toEqual(new Map([...summarise(rows)].sort()));
    });
    fc.assert(property);
  });
});
