import { describe, expect, test } from 'vitest';
import { TooManyBuckets, areMultiplesOf, cutIntoBuckets } from '../../../src/query/calendar/buckets.ts';
import type { Step } from '../../../src/query/calendar/step.ts';
import { parseStep, stepText, usualStep } from '../../../src/query/calendar/step.ts';
import { isTimeZone, startOfDate } from '../../../src/query/calendar/time-zone.ts';

const HOUR_MS = 3_600_000;

function cut(from: string, to: string, step: string, zone = 'UTC'): string[] {
  const { starts, to: end } = cutIntoBuckets(
    { from: Date.parse(from), to: Date.parse(to) }, parseStep(step) as Step, zone, 1_000);
  return [...starts, end].map((ts) => new Date(ts).toISOString().replace(':00.000Z', 'Z'));
}

describe('a range is widened to whole buckets', () => {
  test('of seconds, minutes and hours, which begin at multiples since 1970 in every time zone', () => {
    expect(cut('2026-05-04T10:07Z', '2026-05-04T10:31Z', 'PT15M', 'Asia/Kathmandu')).toEqual(
      ['2026-05-04T10:00Z', '2026-05-04T10:15Z', '2026-05-04T10:30Z', '2026-05-04T10:45Z']);
    expect(cut('2026-05-04T10:00Z', '2026-05-04T11:00Z', '3600')).toEqual(['2026-05-04T10:00Z', '2026-05-04T11:00Z']);
  });

  test('of local days, weeks from Monday and months', () => {
    expect(cut('2026-05-04T23:30Z', '2026-05-05T12:00Z', 'P1D', 'Europe/Berlin')).toEqual(['2026-05-04T22:00Z', '2026-05-05T22:00Z']);
    expect(cut('2026-05-06T00:00Z', '2026-05-12T00:00Z', 'P1W')).toEqual(['2026-05-04T00:00Z', '2026-05-11T00:00Z', '2026-05-18T00:00Z']);
    expect(cut('2025-12-31T12:00Z', '2026-02-01T00:00Z', 'P1M')).toEqual(
      ['2025-12-01T00:00Z', '2026-01-01T00:00Z', '2026-02-01T00:00Z']);
    expect(cut('1969-12-31T00:00Z', '1970-01-02T00:00Z', 'P1W')).toEqual(['1969-12-29T00:00Z', '1970-01-05T00:00Z']);
  });

  test('in the first century, and over the edges of what four digits say', () => {
    expect(cut('0026-05-04T23:30Z', '0026-05-05T12:00Z', 'P1D')).toEqual(['0026-05-04T00:00Z', '0026-05-05T00:00Z', '0026-05-06T00:00Z']);
    expect(cut('0001-01-01T00:00Z', '0001-01-02T00:00Z', 'P1M')).toEqual(['0001-01-01T00:00Z', '0001-02-01T00:00Z']);
    expect(cut('0001-01-01T00:00Z', '0001-01-01T00:30Z', 'P1D', '-05:00')).toEqual(['0000-12-31T05:00Z', '0001-01-01T05:00Z']);
    expect(cut('9999-12-31T12:00Z', '9999-12-31T12:30Z', 'P1D')).toEqual(['9999-12-31T00:00Z', '+010000-01-01T00:00Z']);
  });

  test('whose days are as long as the clocks make them', () => {
    const lengths = (from: string, zone: string): number[] => {
      const day = Date.parse(from);
      const { starts, to } = cutIntoBuckets({ from: day, to: day + 48 * HOUR_MS }, parseStep('P1D') as Step, zone, 9);
      return [...starts.slice(1), to].map((end, at) => (end - starts[at]!) / HOUR_MS);
    };
    expect(lengths('2026-10-24T22:00Z', 'Europe/Berlin')).toEqual([25, 24]);
    expect(lengths('2026-03-28T23:00Z', 'Europe/Berlin')).toEqual([23, 24, 24]);
  });

  test('and is refused when there are too many', () => {
    expect(() => cut('2026-05-04T00:00Z', '2026-05-05T00:00Z', '1')).toThrow(TooManyBuckets);
    expect(() => cut('1000-01-01T00:00Z', '2026-05-05T00:00Z', 'P1D')).toThrow(TooManyBuckets);
  });
});

test('midnight is the first instant of the date, where the clocks skip it and where they pass it twice', () => {
  const start = (zone: string, year: number, month: number, day: number): string =>
    new Date(startOfDate(zone, { year, month, day })).toISOString();
  expect(start('America/Sao_Paulo', 2018, 11, 4)).toBe('2018-11-04T03:00:00.000Z');
  expect(start('Atlantic/Azores', 2026, 10, 25)).toBe('2026-10-25T00:00:00.000Z');
  expect(start('America/Havana', 2025, 11, 2)).toBe('2025-11-02T04:00:00.000Z');
});

test('every bucket is a multiple of the rollup, or not', () => {
  const buckets = (zone: string) => cutIntoBuckets(
    { from: Date.parse('2026-05-04'), to: Date.parse('2026-05-08') }, parseStep('P1D') as Step, zone, 99);
  expect(areMultiplesOf(HOUR_MS, buckets('Europe/Berlin'))).toBe(true);
  expect(areMultiplesOf(HOUR_MS, buckets('Asia/Kolkata'))).toBe(false);
  expect(areMultiplesOf(60_000, buckets('Asia/Kolkata'))).toBe(true);
});

describe('steps', () => {
  test.each([
    ['60', 'PT1M'], ['PT90M', 'PT1H30M'], ['PT1H30M', 'PT1H30M'], ['86400', 'PT24H'], ['P1D', 'P1D'], ['P2W', 'P2W'], ['PT5S', 'PT5S'],
  ])('%s is %s', (text, normal) => {
    expect(stepText(parseStep(text) as Step)).toBe(normal);
  });

  test.each(['', '0', '-5', 'PT', 'P', 'P0D', 'P1DT1H', '1h', 'PT1.5H', 'P1Y', 'P999D', '9999999999', '1e3'])('%j is none', (text) => {
    expect(parseStep(text)).toBeUndefined();
  });

  test('nobody has named make at most 500 buckets', () => {
    for (const hours of [0.01, 1, 24, 24 * 7, 24 * 365, 24 * 3_650]) {
      const step = usualStep(hours * HOUR_MS);
      const { starts } = cutIntoBuckets({ from: 0, to: hours * HOUR_MS }, step, 'UTC', 2_000);
      expect(starts.length).toBeLessThanOrEqual(524);
    }
  });
});

test('names of time zones are told from other words', () => {
  expect(['UTC', 'Europe/Berlin', 'Mars/Olympus', ''].map(isTimeZone)).toEqual([true, true, false, false]);
});
