import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../../src/simulator/histogram.ts';
import { Random } from '../../src/simulator/random.ts';

describe('LatencyHistogram', () => {
  it('has no quantile without a value', () => {
    expect(new LatencyHistogram().quantileMs(0.5)).toBeNull();
  });

  it('is right to within 1 % over seven orders of magnitude', () => {
    const histogram = new LatencyHistogram();
    const random = new Random(5);
    const values = Array.from({ length: 20_000 }, () => 10 ** random.between(-1, 6));
    for (const value of values) histogram.record(value);
    values.sort((one, other) => one - other);
    for (const quantile of [0.001, 0.1, 0.5, 0.9, 0.99, 0.999]) {
      const exact = values[Math.ceil(quantile * values.length) - 1]!;
      expect(Math.abs(histogram.quantileMs(quantile)! / exact - 1)).toBeLessThan(0.01);
    }
  });

  it('is right to a microsecond below 128 µs', () => {
    const histogram = new LatencyHistogram();
    histogram.record(0.0503);
    histogram.record(1);
    expect(histogram.quantileMs(0.5)).toBeCloseTo(0.0505, 6);
  });

  it('keeps the longest duration exactly, and no quantile is longer', () => {
    const histogram = new LatencyHistogram();
    histogram.record(12.3456);
    expect(histogram.maxMs).toBe(12.3456);
    expect(histogram.quantileMs(1)).toBeLessThanOrEqual(12.3456);
  });

  it('counts what is beyond its range in its last bucket', () => {
    const histogram = new LatencyHistogram();
    histogram.record(1e12);
    histogram.record(-1);
    expect(histogram.count).toBe(2);
    expect(histogram.quantileMs(0.5)).toBeCloseTo(0, 2);
    expect(histogram.quantileMs(1)).toBeGreaterThan(3_600_000);
  });

  it('is empty after clear', () => {
    const histogram = new LatencyHistogram();
    histogram.record(5);
    histogram.clear();
    expect(histogram.count).toBe(0);
    expect(histogram.quantileMs(0.99)).toBeNull();
    expect(histogram.maxMs).toBe(0);
  });
});
