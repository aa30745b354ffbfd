import { expect, test } from 'vitest';
import { RegistrationLimit } from '../../src/ingest/registration-limit.ts';

/** How many of `count` devices nobody has heard of are let in. */
function admitted(limit: RegistrationLimit, count: number, now: number, prefix = ''): number {
  return Array.from({ length: count }, (_, n) => limit.admits(`${prefix}${n}`, now)).filter(Boolean).length;
}

test("lets in ten minutes' worth at once, then so many a minute", () => {
  const limit = new RegistrationLimit(6, 0);
  expect(admitted(limit, 100, 0, 'a')).toBe(60);
  expect(admitted(limit, 100, 60_000, 'b')).toBe(6);
});

test('a device that was let in comes again for nothing', () => {
  const limit = new RegistrationLimit(1, 0);
  expect(admitted(limit, 20, 0)).toBe(10);
  expect(admitted(limit, 20, 0)).toBe(10);
  expect(limit.size).toBe(10);
});

test('remembers no more than its capacity, and forgets who came longest ago', () => {
  const limit = new RegistrationLimit(1, 0, 2);
  for (const device of ['a', 'b', 'a', 'c']) limit.admits(device, 0);
  expect(limit.size).toBe(2);
  for (let n = 0; n < 7; n += 1) limit.admits('c', 0);
  expect(limit.admits('a', 0)).toBe(true);
  // Nine of ten places are left of three devices that came and one that came again.
  expect(admitted(limit, 7, 0)).toBe(7);
  expect(limit.admits('a', 0)).toBe(false);
});

test('forgets those that the list has', () => {
  const limit = new RegistrationLimit(1, 0);
  admitted(limit, 10, 0);
  limit.forgetListed(new Set(['0', '1', '2', 'another']));
  expect(limit.size).toBe(7);
});

test('0 is no limit, and nothing is remembered', () => {
  const limit = new RegistrationLimit(0, 0);
  expect(admitted(limit, 50_000, 0)).toBe(50_000);
  expect(limit.size).toBe(0);
});
