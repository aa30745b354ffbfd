/**
 * Numbers as they are worth showing. The database keeps some fields in single precision; as doubles these have digits
 * that no tracker sent: 12.3 is 12.300000190734863.
 */

/** Digits that every value in single precision has. */
const SINGLE_DIGITS = 7;
const MOST_SINGLE_DIGITS = 9;

/** The shortest decimal that is this value in single precision: what was stored. */
export function shortestSingle(value: number): number {
  for (let digits = SINGLE_DIGITS - 1; digits < MOST_SINGLE_DIGITS; digits += 1) {
    const shortened = Number(value.toPrecision(digits));
    if (Math.fround(shortened) === Math.fround(value)) return shortened;
  }
  return Number(value.toPrecision(MOST_SINGLE_DIGITS));
}

/** For what is computed from many such values. */
export function toSingleDigits(value: number): number {
  return Number(value.toPrecision(SINGLE_DIGITS));
}
