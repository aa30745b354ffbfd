/** Decimals against whole numbers of any length, which are exact by themselves. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Decimal } from '../../../src/core/rollups/decimals.ts';
import { ExactSum, compare, decimalText, longDecimal, shortDecimal } from '../../../src/core/rollups/decimals.ts';

/** Digits and scale as they are in a text, short or long. */
const parts = fc.oneof(
  fc.record({ digits: fc.bigInt(-(10n ** 15n) + 1n, 10n ** 15n - 1n), scale: fc.nat(22) }),
  fc.record({ digits: fc.bigInt(-999n, 999n), scale: fc.nat(3) }),
  fc.record({ digits: fc.bigInt(-(10n ** 60n), 10n ** 60n), scale: fc.nat(330) }),
);
type Parts = Readonly<{ digits: bigint; scale: number }>;

const isShort = ({ digits, scale }: Parts): boolean => scale <= 22 && digits < 10n ** 15n && digits > -(10n ** 15n);
const longOf = ({ digits, scale }: Parts): Decimal => longDecimal(decimalText(digits, scale));
const decimalOf = (given: Parts): Decimal => (
  isShort(given) ? shortDecimal(Number(given.digits), given.scale) : longOf(given));
const shifted = ({ digits, scale }: Parts, to: number): bigint => digits * 10n ** BigInt(to - scale);

describe('decimalText', () => {
  test.each([
    [0, 0, '0'], [-7, 0, '-7'], [5, 1, '0.5'], [-5, 3, '-0.005'], [1250, 2, '12.50'],
    [10n ** 20n, 1, '10000000000000000000.0'],
  ] as const)('%s with %i places', (digits, scale, text) => { expect(decimalText(digits, scale)).toBe(text); });
});

test('a long decimal is what its text says', () => {
  expect(longDecimal('-0.00000000031234567890123456')).toEqual({
    digits: -31_234_567_890_123_456n, scale: 26, near: Number('-3.1234567890123456e-10') });
});

test('two compare as the numbers do', () => {
  fc.assert(fc.property(parts, parts, (a, b) => {
    const scale = Math.max(a.scale, b.scale);
    const [left, right] = [shifted(a, scale), shifted(b, scale)];
    expect(Math.sign(compare(decimalOf(a), decimalOf(b)))).toBe(left < right ? -1 : Number(left > right));
  }));
});

test('one that has more places is the same number', () => {
  expect(compare(shortDecimal(125, 1), shortDecimal(12_500, 3))).toBe(0);
  expect(compare(longDecimal(`12.5${'0'.repeat(30)}`), shortDecimal(125, 1))).toBe(0);
});

test('a sum is exact, whatever is added in whatever order', () => {
  fc.assert(fc.property(fc.array(parts, { maxLength: 30 }), (all) => {
    const scale = Math.max(0, ...all.map((one) => one.scale));
    const sum = new ExactSum();
    for (const one of all) {
      const { digits, scale: places } = decimalOf(one);
      sum.add(digits, places);
    }
    const expected = all.reduce((total, one) => total + shifted(one, scale), 0n);
    expect(sum.text).toBe(decimalText(expected, scale));
  }));
});

test('a sum of sums is that of all', () => {
  const [a, b] = [new ExactSum(), new ExactSum()];
  a.add(Number.MAX_SAFE_INTEGER, 0);
  b.add(1, 1);
  a.addSum(b);
  expect(a.text).toBe('9007199254740991.1');
});
