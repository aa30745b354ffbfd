import { expect, test } from 'vitest';
import { TokenBucket } from '../../src/shared/token-bucket.ts';

const limit = { perMinute: 60, burst: 3 };

function taken(bucket: TokenBucket, now: number, attempts: number): number {
  return Array.from({ length: attempts }, () => bucket.take(now)).filter(Boolean).length;
}

test('gives the burst at once, then what the rate allows', () => {
  const bucket = new TokenBucket(limit, 0);
  expect(taken(bucket, 0, 10)).toBe(3);
  expect(taken(bucket, 999, 10)).toBe(0);
  expect(taken(bucket, 1_000, 10)).toBe(1);
  expect(taken(bucket, 3_000, 10)).toBe(2);
});

test('saves up no more than the burst', () => {
  const bucket = new TokenBucket(limit, 0);
  expect(taken(bucket, 3_600_000, 10)).toBe(3);
});

test('does not lose the fractions of frequent attempts', () => {
  const bucket = new TokenBucket(limit, 0);
  taken(bucket, 0, 3);
  let count = 0;
  for (let now = 100; now <= 10_000; now += 100) count += taken(bucket, now, 1);
  expect(count).toBeGreaterThanOrEqual(9);
  expect(count).toBeLessThanOrEqual(10);
});
