import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/shared/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500], ['1s', 1_000], ['1.5s', 1_500], ['2m', 120_000], ['1h', 3_600_000], ['7d', 604_800_000], ['0', 0], ['0s', 0],
  ])('reads %s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', '10', 's', '1 s', '-1s', '1w', '1s2', '1.s', 'Infinitys'])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0ms'], [20, '20ms'], [999, '999ms'], [1_000, '1s'], [1_500, '1.5s'], [59_940, '59.9s'], [60_000, '1m'],
    [59_999, '1m'], [90_000, '1m30s'], [3_600_000, '1h'], [3_661_000, '1h1m1s'], [86_400_000, '24h'],
  ])('writes %d ms as %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});
