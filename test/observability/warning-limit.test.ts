import { expect, it } from 'vitest';
import { WarningLimit } from '../../src/observability/warning-limit.ts';

it('logs a burst of twenty, then one in five seconds that says how many were left out', () => {
  const limit = new WarningLimit();
  const logged = (now: number, times: number): number =>
    Array.from({ length: times }, () => limit.admit('bad_preamble', now)).filter((leftOut) => leftOut !== null).length;
  expect(logged(0, 1_000)).toBe(20);
  expect(logged(4_999, 10)).toBe(0);
  expect(limit.admit('bad_preamble', 5_000)).toBe(990);
  expect(logged(5_001, 10)).toBe(0);
  expect(limit.admit('bad_preamble', 10_000)).toBe(10);
});

it('has a burst again after a quiet time, and no more than one', () => {
  const limit = new WarningLimit();
  for (let time = 0; time < 30; time += 1) limit.admit('a', 0);
  const later = Array.from({ length: 30 }, () => limit.admit('a', 3_600_000));
  expect(later.filter((leftOut) => leftOut !== null)).toHaveLength(20);
  expect(later[0]).toBe(10);
});

it('kinds do not share', () => {
  const limit = new WarningLimit();
  for (let time = 0; time < 30; time += 1) limit.admit('a', 0);
  expect(limit.admit('a', 0)).toBeNull();
  expect(limit.admit('b', 0)).toBe(0);
});
