/** An outage is said twice, however many failures it has: when it begins, and when it has ended for good. */
import { expect, test } from 'vitest';
import { Outage } from '../../src/shared/outage.ts';

test('the first failure begins it, and those that follow say nothing', () => {
  const outage = new Outage();
  expect([0, 1, 500].map((now) => outage.observe(true, now))).toEqual(['begins', null, null]);
});

test('a success ends it ten seconds after the last failure, once', () => {
  const outage = new Outage();
  outage.observe(true, 0);
  outage.observe(true, 4_000);
  expect([4_001, 13_999, 14_000, 14_001].map((now) => outage.observe(false, now))).toEqual([null, null, 'ends', null]);
});

test('successes among failures neither end it nor begin another', () => {
  const outage = new Outage();
  const said = Array.from({ length: 100 }, (_, n) => outage.observe(n % 2 === 0, n * 200));
  expect(said.filter((one) => one !== null)).toEqual(['begins']);
});

test('nothing is said of what never failed, and the next outage begins anew', () => {
  const outage = new Outage();
  expect(outage.observe(false, 0)).toBeNull();
  outage.observe(true, 1);
  outage.observe(false, 20_000);
  expect(outage.observe(true, 20_001)).toBe('begins');
});
