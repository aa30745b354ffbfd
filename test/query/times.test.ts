import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTimestampUs, msOfEpoch, parseTime, timestampOfUs, usOfEpoch } from '../../src/query/times.ts';

describe('parseTime', () => {
  it.each([
    ['2026-05-04T12:30:00Z', '2026-05-04T12:30:00.000Z'], ['2026-05-04t12:30:00z', '2026-05-04T12:30:00.000Z'],
    ['2026-05-04T12:30Z', '2026-05-04T12:30:00.000Z'], ['2026-05-04T12:30:00.25Z', '2026-05-04T12:30:00.250Z'],
    ['2026-05-04T12:30:00.123456789Z', '2026-05-04T12:30:00.123Z'], ['2026-05-04T12:30:00+02:00', '2026-05-04T10:30:00.000Z'],
    ['2026-05-04T12:30:00 02:00', '2026-05-04T10:30:00.000Z'], ['2026-05-04T12:30:00-0930', '2026-05-04T22:00:00.000Z'],
    ['2026-05-04', '2026-05-04T00:00:00.000Z'], ['2024-02-29', '2024-02-29T00:00:00.000Z'], ['0001-01-01', '0001-01-01T00:00:00.000Z'],
    ['1777888800000', '2026-05-04T10:00:00.000Z'], ['0', '1970-01-01T00:00:00.000Z'], ['-1', '1969-12-31T23:59:59.999Z'],
  ])('%s is %s', (text, wanted) => {
    expect(new Date(parseTime(text) ?? Number.NaN).toISOString()).toBe(wanted);
  });

  it.each([
    '', 'now', '2026-05', '2026-13-01', '2026-02-29', '2026-05-04T12:30:00', '2026-05-04T25:00Z', '2026-05-04T12:30:00+2', '1e3', '1.5',
    '0000-12-31', '10000-01-01', '-62135596800001', '253402300800000', '2026-05-04T12:30:00+99:00',
  ])('%s is none', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });

  it('takes any text without an exception', () => {
    fc.assert(fc.property(fc.string(), (text) => {
      const ms = parseTime(text);
      expect(ms === undefined || Number.isInteger(ms)).toBe(true);
    }));
  });
});

describe('a time of the database', () => {
  it('is exact to the microsecond, before 1970 too', () => {
    const max = 253_402_300_799_999_999n;
    fc.assert(fc.property(fc.bigInt({ min: -62_135_596_800_000_000n, max }), (us) => {
      const digits = String(us < 0n ? -us : us).padStart(7, '0');
      const epoch = `${us < 0n ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`;
      const text = timestampOfUs(usOfEpoch(epoch));
      expect(isTimestampUs(usOfEpoch(epoch))).toBe(true);
      expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      const rest = ((us % 1_000n) + 1_000n) % 1_000n;
      const ms = (us - rest) / 1_000n;
      expect(text.slice(-4, -1)).toBe(String(rest).padStart(3, '0'));
      expect(Date.parse(`${text.slice(0, -4)}Z`)).toBe(Number(ms));
      if (us > 0n && us < 9_007_199_254_740_991n) expect(msOfEpoch(epoch)).toBe(String(ms));
    }));
  });

  it.each([['0.000000', '0'], ['0.001999', '1'], ['-0.000001', '-1'], ['1777888800.123999', '1777888800123'], ['Infinity', 'null']])(
    '%s is %s ms', (epoch, wanted) => {
      expect(msOfEpoch(epoch)).toBe(wanted);
    });
});
