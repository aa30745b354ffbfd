/** IMEIs of the fleet: 15 digits, the last one the Luhn check digit, as 3GPP TS 23.003 has them. */
import { mix } from './random.ts';

const DIGITS_BEFORE_CHECK = 14;

/** The Luhn check digit of the 14 digits before it. */
export function luhnCheckDigit(digits: string): number {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = index % 2 === 0 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return (10 - (sum % 10)) % 10;
}

/** How many IMEIs begin with this prefix. */
export function imeiCapacity(prefix: string): number {
  return 10 ** (DIGITS_BEFORE_CHECK - prefix.length);
}

/**
 * `count` different IMEIs that begin with `prefix`, the same for the same seed.
 * @throws RangeError when the prefix leaves too few digits.
 */
export function fleetImeis(seed: number, count: number, prefix: string): string[] {
  const capacity = imeiCapacity(prefix);
  if (count > capacity) throw new RangeError(`only ${capacity} IMEIs begin with ${prefix}`);
  const first = mix(seed, 1) % capacity;
  // A step that shares no factor with a power of ten visits every serial number once.
  const step = (mix(seed, 2) % capacity) * 10 + 7;
  return Array.from({ length: count }, (_, index) => {
    const serial = Number((BigInt(first) + BigInt(step) * BigInt(index)) % BigInt(capacity));
    const digits = prefix + (capacity === 1 ? '' : String(serial).padStart(DIGITS_BEFORE_CHECK - prefix.length, '0'));
    return digits + String(luhnCheckDigit(digits));
  });
}
