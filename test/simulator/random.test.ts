import { describe, expect, it } from 'vitest';
import { drift, mix, Random } from '../../src/simulator/random.ts';

const draw = (seed: number, count: number): number[] => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.next());
};

describe('Random', () => {
  it('gives the same numbers for the same seed', () => {
    expect(draw(7, 100)).toEqual(draw(7, 100));
    expect(draw(7, 5)).not.toEqual(draw(8, 5));
  });

  it('stays in [0, 1) and spreads evenly', () => {
    const numbers = draw(1, 20_000);
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    const tenths = Array.from({ length: 10 }, (_, tenth) => numbers.filter((n) => Math.floor(n * 10) === tenth).length);
    expect(Math.min(...tenths)).toBeGreaterThan(1_850);
    expect(Math.max(...tenths)).toBeLessThan(2_150);
  });

  it('draws whole numbers up to both ends', () => {
    const random = new Random(3);
    const drawn = new Set(Array.from({ length: 200 }, () => random.integer(2, 5)));
    expect([...drawn].sort()).toEqual([2, 3, 4, 5]);
  });

  it('shuffles without losing anything', () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    const shuffled = [...items];
    new Random(3).shuffle(shuffled);
    expect(shuffled).not.toEqual(items);
    expect(shuffled.toSorted((one, other) => one - other)).toEqual(items);
  });

  it('refuses to pick from nothing', () => {
    expect(() => new Random(1).pick([])).toThrow(RangeError);
  });
});

describe('mix', () => {
  it('tells neighbours and exchanged arguments apart', () => {
    const hashes = new Set<number>();
    for (let first = 0; first < 100; first += 1) {
      for (let second = 0; second < 100; second += 1) hashes.add(mix(first, second));
    }
    expect(hashes.size).toBeGreaterThan(9_995);
  });
});

describe('drift', () => {
  it('stays in [0, 1] and moves little in little time', () => {
    for (let time = 0; time < 100_000; time += 100) {
      const now = drift(5, time, 10_000);
      expect(now).toBeGreaterThanOrEqual(0);
      expect(now).toBeLessThanOrEqual(1);
      expect(Math.abs(drift(5, time + 100, 10_000) - now)).toBeLessThan(0.02);
    }
  });
});
