/**
 * Reads a record of the stream in one pass over its bytes, without making text of them. It takes what nearly every
 * record is: numbers of at most 15 digits without an exponent, all fields in range. For anything else it says null, and
 * `stored-record.ts` reads the record with a JSON parser and says what is wrong with it, if anything is.
 *
 * A number of 15 digits is exact, and so is a power of ten up to 10^22: their quotient is the double that a JSON parser
 * gives. Never throws.
 */
import type { StoredRecord } from './record-fields.ts';
import { MAX_INT16, MAX_INT32, MAX_LATITUDE, MAX_LONGITUDE } from './record-fields.ts';

const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LETTER = { a: 0x61, e: 0x65, f: 0x66, l: 0x6c, n: 0x6e, r: 0x72, s: 0x73, t: 0x74, u: 0x75 } as const;

const MAX_DIGITS = 15;
const POWERS_OF_TEN = Array.from({ length: MAX_DIGITS + 1 }, (_, power) => 10 ** power);

/** Stands behind the comma that ends what it has read. */
export class PlainReader {
  at = 0;
  #isPlain = true;
  readonly #json: Buffer;

  constructor(json: Buffer) {
    this.#json = json;
  }

  /** The record that begins at `start`, with the reader behind its closing bracket; null: not a plain one. */
  record(start: number): StoredRecord | null {
    this.#isPlain = this.#json[start] === OPEN_BRACKET;
    this.at = start + 1;
    const ts = this.#integer(-Infinity, Infinity);
    const latitude = this.#orNull(MAX_LATITUDE);
    const longitude = this.#orNull(MAX_LONGITUDE);
    const altitude = this.#orNull(Infinity);
    const course = this.#orNull(Infinity);
    const speed = this.#orNull(Infinity);
    const satellites = this.#isNull() ? null : this.#integer(0, MAX_INT16);
    const hdop = this.#orNull(Infinity);
    const valid = this.#boolean();
    const priority = this.#integer(-MAX_INT16, MAX_INT16);
    const eventId = this.#integer(-MAX_INT32, MAX_INT32);
    const attributesJson = this.#attributes(this.#integer(2, Infinity));
    if (attributesJson === null) return null;
    return {
      ts, latitude, longitude, altitude, course, speed, satellites, hdop, valid, priority, eventId, attributesJson,
    };
  }

  #attributes(length: number): Buffer | null {
    const { at: start } = this;
    const end = start + length;
    const json = this.#json;
    const isObject = json[start] === OPEN_BRACE && json[end - 1] === CLOSE_BRACE;
    if (!this.#isPlain || !isObject || json[end] !== CLOSE_BRACKET) return null;
    this.at = end + 1;
    return json.subarray(start, end);
  }

  #integer(min: number, max: number): number {
    const value = this.#number();
    if (!(value >= min && value <= max) || value !== Math.floor(value)) this.#isPlain = false;
    return value;
  }

  #orNull(max: number): number | null {
    if (this.#isNull()) return null;
    const value = this.#number();
    if (!(value >= -max && value <= max)) this.#isPlain = false;
    return value;
  }

  /** Digits with at most one point among them; no leading zero, as JSON has it. */
  #number(): number {
    const json = this.#json;
    const negative = json[this.at] === MINUS;
    const first = negative ? this.at + 1 : this.at;
    let at = first;
    let digits = 0;
    let point = -1;
    for (; ; at += 1) {
      const byte = json[at] ?? 0;
      if (byte >= ZERO && byte <= NINE) digits = digits * 10 + (byte - ZERO);
      else if (byte === POINT && point < 0 && at > first) point = at;
      else break;
    }
    const whole = (point < 0 ? at : point) - first;
    const scale = point < 0 ? 0 : at - point - 1;
    const isJson = whole > 0 && (point < 0 || scale > 0) && (whole === 1 || json[first] !== ZERO);
    if (!isJson || whole + scale > MAX_DIGITS || json[at] !== COMMA) this.#isPlain = false;
    this.at = at + 1;
    const value = scale === 0 ? digits : digits / (POWERS_OF_TEN[scale] ?? NaN);
    return negative ? -value : value;
  }

  #isNull(): boolean {
    const json = this.#json;
    const { at } = this;
    if (json[at] !== LETTER.n) return false;
    const { u, l } = LETTER;
    if (json[at + 1] !== u || json[at + 2] !== l || json[at + 3] !== l || json[at + 4] !== COMMA) this.#isPlain = false;
    this.at = at + 5;
    return true;
  }

  #boolean(): boolean {
    const json = this.#json;
    const { at } = this;
    const { t, r, u, e, f, a, l, s } = LETTER;
    if (json[at] === t && json[at + 1] === r && json[at + 2] === u && json[at + 3] === e && json[at + 4] === COMMA) {
      this.at = at + 5;
      return true;
    }
    const isFals = json[at] === f && json[at + 1] === a && json[at + 2] === l && json[at + 3] === s;
    if (!isFals || json[at + 4] !== e || json[at + 5] !== COMMA) this.#isPlain = false;
    this.at = at + 6;
    return false;
  }
}
