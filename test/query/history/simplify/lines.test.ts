import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { douglasPeucker } from '../../../../src/query/history/simplify/douglas-peucker.ts';
import type { Line } from '../../../../src/query/history/simplify/plane.ts';
import { squaredDistance } from '../../../../src/query/history/simplify/plane.ts';
import { visvalingam } from '../../../../src/query/history/simplify/visvalingam.ts';

const signal = new AbortController().signal;

function lineOf(points: readonly (readonly [number, number])[]): Line {
  return { latitudes: points.map(([latitude]) => latitude), longitudes: points.map(([, longitude]) => longitude) };
}

const step = fc.double({ min: -0.05, max: 0.05, noNaN: true });

/** Some kilometres around a place, the antimeridian among them. */
const lines = fc.tuple(
  fc.double({ min: -80, max: 80, noNaN: true }),
  fc.constantFrom(13.4, 180, -180),
  fc.array(fc.tuple(step, step), { maxLength: 200 }),
).map(([latitude, longitude, steps]) => lineOf(steps.map(([north, east]) => {
  const beyond = longitude + east;
  return [latitude + north, beyond > 180 ? beyond - 360 : beyond < -180 ? beyond + 360 : beyond] as const;
})));

/** Of every point that is left out, how far it is from the piece of the line that spans it, metres. */
function offsets(line: Line, kept: readonly number[]): number[] {
  return kept.slice(1).flatMap((last, number) => {
    const first = kept[number] ?? 0;
    const between = Array.from({ length: last - first - 1 }, (_, index) => first + 1 + index);
    return between.map((index) => Math.sqrt(squaredDistance(line, index, first, last)));
  });
}

describe('douglasPeucker', () => {
  it('leaves out nothing that is farther from the line than the tolerance', () => {
    fc.assert(fc.property(lines, fc.constantFrom(0.5, 10, 500, 5_000), (line, tolerance) => {
      const kept = douglasPeucker(line, tolerance);
      expect(Math.max(0, ...offsets(line, kept))).toBeLessThanOrEqual(tolerance);
      const count = line.latitudes.length;
      expect([kept[0], kept.at(-1)]).toEqual(count === 0 ? [undefined, undefined] : [0, count - 1]);
    }));
  });

  it('keeps the corners of a square and nothing on its sides', () => {
    const side = Array.from({ length: 10 }, (_, index) => index * 0.001);
    const line = lineOf([...side.map((x) => [0, x] as const), ...side.map((y) => [y, 0.01] as const), [0.01, 0.01]]);
    expect(douglasPeucker(line, 1)).toEqual([0, 10, 20]);
  });

  it('takes a line across the antimeridian for a short one', () => {
    expect(douglasPeucker(lineOf([[0, 179.99], [0, -179.995], [0, -179.99]]), 1)).toEqual([0, 2]);
  });

  it('leaves one of many records of a vehicle that stands', () => {
    expect(douglasPeucker(lineOf(Array<readonly [number, number]>(1_000).fill([52.5, 13.4])), 1)).toEqual([0, 999]);
  });
});

describe('visvalingam', () => {
  it('leaves as many points as were asked for, the first and the last among them', async () => {
    await fc.assert(fc.asyncProperty(lines, fc.integer({ min: 2, max: 250 }), async (line, count) => {
      const kept = await visvalingam(line, count, signal);
      const total = line.latitudes.length;
      expect(kept).toHaveLength(Math.min(total, count));
      expect(kept).toEqual(kept.toSorted((a, b) => a - b));
      if (total > 0) expect([kept[0], kept.at(-1)]).toEqual([0, total - 1]);
    }));
  });

  it('keeps the point that stands out most', async () => {
    const line = lineOf([[0, 0], [0.0001, 0.01], [0.01, 0.02], [0.0001, 0.03], [0, 0.04]]);
    expect(await visvalingam(line, 3, signal)).toEqual([0, 2, 4]);
  });

  it('chooses among 200,000 points without holding up other work for long', async () => {
    const count = 200_000;
    const line = lineOf(Array.from({ length: count }, (_, n) => [50 + Math.sin(n / 50) * 0.1, 10 + n * 1e-5] as const));
    let longest = 0;
    let before = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - before);
      before = performance.now();
    }, 1);
    expect(await visvalingam(line, 500, signal)).toHaveLength(500);
    clearInterval(timer);
    expect(longest).toBeLessThan(1_000);
  });

  it('ends when nobody waits for it any more', async () => {
    const line = lineOf(Array.from({ length: 100_000 }, (_, n) => [Math.sin(n), n * 1e-5] as const));
    await expect(visvalingam(line, 2, AbortSignal.abort())).rejects.toThrow();
  });
});
