/**
 * Decimal numbers as PostgreSQL writes them in jsonb: digits, maybe with a point, never with an exponent. Added and
 * compared exactly, as `numeric` does it, and in doubles as long as those are exact. Pure.
 */

export interface Decimal {
  /** The number times 10^scale, a whole number; a bigint where a double might not hold it. */
  readonly digits: number | bigint;
  readonly scale: number;
  /** The nearest double. */
  readonly near: number;
}

/** So many digits are told apart by doubles, and these powers of ten are exact in them. */
export const EXACT_DIGITS = 15;
export const EXACT_SCALE = 22;
const POWERS: readonly number[] = Array.from({ length: EXACT_SCALE + 1 }, (_, n) => Number(`1e${n}`));

/** @param digits at most EXACT_DIGITS of them @param scale at most EXACT_SCALE */
export function shortDecimal(digits: number, scale: number): Decimal {
  return { digits, scale, near: scale === 0 ? digits : digits / (POWERS[scale] ?? Number.NaN) };
}

/** Of any length. */
export function longDecimal(text: string): Decimal {
  const point = text.indexOf('.');
  const scale = point < 0 ? 0 : text.length - point - 1;
  return { digits: BigInt(text.replace('.', '')), scale, near: Number(text) };
}

function scaled(digits: number | bigint, by: number): bigint {
  return BigInt(digits) * 10n ** BigInt(by);
}

/** Negative where `a` is less than `b`, 0 where both are the same number. */
export function compare(a: Decimal, b: Decimal): number {
  // Different doubles are in the order of what they are nearest to.
  if (a.near < b.near) return -1;
  if (a.near > b.near) return 1;
  if (typeof a.digits === 'number' && typeof b.digits === 'number') return 0;
  const scale = Math.max(a.scale, b.scale);
  const [left, right] = [scaled(a.digits, scale - a.scale), scaled(b.digits, scale - b.scale)];
  return left < right ? -1 : Number(left > right);
}

/** As `numeric` prints it. */
export function decimalText(digits: number | bigint, scale: number): string {
  const text = digits.toString();
  if (scale === 0) return text;
  const [sign, whole] = text.startsWith('-') ? ['-', text.slice(1)] : ['', text];
  const padded = whole.padStart(scale + 1, '0');
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

/** Adds decimals up. */
export class ExactSum {
  #digits: number | bigint = 0;
  #scale = 0;

  get text(): string {
    return decimalText(this.#digits, this.#scale);
  }

  add(digits: number | bigint, scale: number): void {
    const most = Math.max(scale, this.#scale);
    const own = this.#shifted(this.#digits, most - this.#scale);
    const other = this.#shifted(digits, most - scale);
    const sum = typeof own === 'number' && typeof other === 'number' ? own + other : Number.NaN;
    this.#digits = Number.isSafeInteger(sum) ? sum : BigInt(own) + BigInt(other);
    this.#scale = most;
  }

  addSum(sum: ExactSum): void {
    this.add(sum.#digits, sum.#scale);
  }

  #shifted(digits: number | bigint, by: number): number | bigint {
    if (by === 0) return digits;
    const shifted = typeof digits === 'number' ? digits * (POWERS[by] ?? Number.NaN) : Number.NaN;
    return Number.isSafeInteger(shifted) ? shifted : scaled(digits, by);
  }
}
