/**
 * Writes JSON as bytes into memory that is used again and again, and makes one string of it: several times cheaper than
 * putting strings together, which a hot path pays a second time when they are flattened.
 *
 * Numbers look exactly as `String(number)` shows them.
 */

const FIRST_BYTES = 16 * 1024;
/** A writer that has once needed more does not keep it. */
const KEPT_BYTES = 1024 * 1024;

const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;

/** The longest that `String(number)` makes. */
const NUMBER_BYTES = 32;
/** Decimal places that a decoder's scaling leaves: coordinates have seven. */
const SCALE = 10_000_000;
const SCALE_DIGITS = 7;
/** Below it `String(number)` shows an exponent. */
const LEAST_DECIMAL = 1e-6;
/** Decimals of up to 15 digits and doubles correspond one to one. */
const MOST_SCALED = 1e15;
const MOST_INTEGER = 1e14;

export class JsonWriter {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #at = 0;
  #isAscii = true;

  /** Bytes written since `clear`. */
  get length(): number {
    return this.#at;
  }

  clear(): void {
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = Buffer.allocUnsafe(FIRST_BYTES);
    this.#at = 0;
    this.#isAscii = true;
  }

  /** What was written since `clear`. */
  toString(): string {
    return this.#bytes.toString(this.#isAscii ? 'latin1' : 'utf8', 0, this.#at);
  }

  /** One ASCII character. */
  character(code: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = code;
  }

  /** Puts one ASCII character in the place of the last. */
  endWith(code: number): void {
    this.#bytes[this.#at - 1] = code;
  }

  /** ASCII characters. */
  characters(ascii: Uint8Array): void {
    const { length } = ascii;
    this.#reserve(length);
    const bytes = this.#bytes;
    const start = this.#at;
    // A copy by the runtime costs more than these few bytes.
    for (let at = 0; at < length; at += 1) bytes[start + at] = ascii[at] as number;
    this.#at = start + length;
  }

  /** What another has written since its `clear`. */
  append(other: JsonWriter): void {
    this.#reserve(other.#at);
    other.#bytes.copy(this.#bytes, this.#at, 0, other.#at);
    this.#at += other.#at;
    this.#isAscii &&= other.#isAscii;
  }

  /** JSON that is ready. */
  text(json: string): void {
    this.#reserve(3 * json.length);
    const written = this.#bytes.write(json, this.#at);
    if (written !== json.length) this.#isAscii = false;
    this.#at += written;
  }

  /** A finite number. */
  number(value: number): void {
    this.#reserve(NUMBER_BYTES);
    const size = value < 0 ? -value : value;
    if (size === 0 ? Object.is(value, -0) : value < 0) this.#bytes[this.#at++] = MINUS;
    if (size < MOST_INTEGER && Math.trunc(size) === size) {
      this.#integer(size);
      return;
    }
    const scaled = Math.round(size * SCALE);
    if (size >= LEAST_DECIMAL && scaled < MOST_SCALED && scaled / SCALE === size) this.#decimal(scaled);
    else this.#at += this.#bytes.write(String(size), this.#at, 'latin1');
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }

  #integer(value: number): void {
    if (value < SCALE) {
      this.#digits(value | 0, countDigits(value | 0));
      return;
    }
    const high = Math.floor(value / SCALE);
    this.#integer(high);
    this.#digits((value - high * SCALE) | 0, SCALE_DIGITS);
  }

  /** `scaled` ten-millionths. */
  #decimal(scaled: number): void {
    const whole = Math.floor(scaled / SCALE);
    this.#integer(whole);
    this.#bytes[this.#at++] = POINT;
    let rest = (scaled - whole * SCALE) | 0;
    let digits = SCALE_DIGITS;
    while (rest % 10 === 0) {
      rest = (rest / 10) | 0;
      digits -= 1;
    }
    this.#digits(rest, digits);
  }

  /** The last `count` digits of an integer of 32 bits. */
  #digits(value: number, count: number): void {
    const bytes = this.#bytes;
    let rest = value;
    for (let at = this.#at + count - 1; at >= this.#at; at -= 1) {
      const tenth = (rest / 10) | 0;
      bytes[at] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.#at += count;
  }
}

/** Of an integer from 0 to 9,999,999. */
function countDigits(value: number): number {
  if (value < 100) return value < 10 ? 1 : 2;
  if (value < 10_000) return value < 1_000 ? 3 : 4;
  if (value < 1_000_000) return value < 100_000 ? 5 : 6;
  return 7;
}
