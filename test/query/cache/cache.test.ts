import { describe, expect, test } from 'vitest';
import { answerOfValue, decodeAnswer, encodeAnswer } from '../../../src/query/cache/answer.ts';
import { ttlOf } from '../../../src/query/cache/answer-cache.ts';
import { cacheKey } from '../../../src/query/cache/cache-key.ts';
import { StoredBytes } from '../../../src/query/cache/stored-bytes.ts';

describe('keys', () => {
  const only = (...ids: string[]) => ({ kind: 'only', ids }) as const;

  test('are the same for those who see the same, in whatever order', () => {
    expect(cacheKey('series', only('1', '2'), ['x'])).toBe(cacheKey('series', only('2', '1'), ['x']));
  });

  test('differ by what is seen, by the question and by every part of it', () => {
    const keys = [
      cacheKey('series', { kind: 'all' }, ['x']), cacheKey('series', only(), ['x']), cacheKey('series', only('1'), ['x']),
      cacheKey('series', only('1', '2'), ['x']), cacheKey('series', only('12'), ['x']), cacheKey('totals', only('1'), ['x']),
      cacheKey('series', only('1'), ['x', null]), cacheKey('series', only('1'), [['x']]), cacheKey('series', only('all'), ['x']),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});

test('an answer comes out as it went in, and nothing else is taken for one', () => {
  for (const value of [{ a: '\n' }, { items: [], next: null }, { items: [1], next: 'WyIxIl0' }]) {
    const answer = answerOfValue(value);
    expect(answer).toMatchObject({ body: Buffer.from(`${JSON.stringify(value)}\n`), next: value.next ?? null });
    expect(decodeAnswer(encodeAnswer(answer))).toEqual(answer);
  }
  for (const bytes of ['', '{}', 'W/"short"\n{}', 'x'.repeat(40)]) expect(decodeAnswer(Buffer.from(bytes))).toBeNull();
});

test('what may still change is kept for 10 seconds, what is closed for 5 minutes', () => {
  const now = Date.parse('2026-05-04T12:00:00Z');
  expect([now + 1_000, now, now - 59_000].map((to) => ttlOf(to, now))).toEqual([10_000, 10_000, 10_000]);
  expect(ttlOf(now - 60_000, now)).toBe(300_000);
});

describe('the room in Redis', () => {
  test('is bounded, and is there again when entries have expired', () => {
    const stored = new StoredBytes(3_000);
    expect([1, 2, 3].map((key) => stored.admit(`key${key}`, 1_000, 10_000, 0))).toEqual([true, true, false]);
    expect(stored.admit('key3', 1_000, 10_000, 9_999)).toBe(false);
    expect(stored.admit('key3', 1_000, 10_000, 10_000)).toBe(true);
    expect(stored.bytes).toBeLessThan(1_300);
  });

  test('is taken once by an entry that is written again', () => {
    const stored = new StoredBytes(2_000);
    for (let at = 0; at < 10; at += 1) expect(stored.admit('key', 1_000, 10_000, at)).toBe(true);
  });
});
