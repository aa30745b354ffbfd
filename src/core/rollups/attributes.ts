/**
 * Rolls the numbers among attributes up, booleans as 0 and 1, from jsonb as PostgreSQL prints it. Records of a tracker
 * bear the same names in the same order nearly always, so a name is compared with the one that followed the last time,
 * and looked up only where that fails. A name is kept as it is written, escapes included: one name has one spelling.
 */
import type { Decimal } from './decimals.ts';
import {
  EXACT_DIGITS, EXACT_SCALE, ExactSum, compare, decimalText, longDecimal, shortDecimal,
} from './decimals.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON_AND_SPACE = 2;
const [ZERO, NINE, MINUS, POINT] = [0x30, 0x39, 0x2d, 0x2e];
const [LETTER_T, LETTER_F, LETTER_N] = [0x74, 0x66, 0x6e];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

const FALSE = shortDecimal(0, 0);
const TRUE = shortDecimal(1, 0);

/** The values of a name in one bucket. */
class Summary {
  #count = 0;
  #sum = new ExactSum();
  #least = FALSE;
  #greatest = FALSE;
  #first = FALSE;
  #last = FALSE;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Any, while it is empty. */
  get last(): Decimal {
    return this.#last;
  }

  take(value: Decimal): void {
    this.#extend(value, value, value, value);
    this.#count += 1;
    this.#sum.add(value.digits, value.scale);
  }

  /** Those of a later bucket. */
  merge(later: Summary): void {
    this.#extend(later.#first, later.#least, later.#greatest, later.#last);
    this.#count += later.#count;
    this.#sum.addSum(later.#sum);
  }

  /** The entry of this name, as the columns of attributes have it; empty from then on. */
  close(): string {
    const entry = this.#entry();
    this.#count = 0;
    this.#sum = new ExactSum();
    return entry;
  }

  #extend(first: Decimal, least: Decimal, greatest: Decimal, last: Decimal): void {
    if (this.#count === 0) {
      this.#first = first;
      this.#least = least;
      this.#greatest = greatest;
    } else if (first !== this.#last || least !== greatest) {
      if (compare(least, this.#least) < 0) this.#least = least;
      if (compare(greatest, this.#greatest) > 0) this.#greatest = greatest;
    }
    this.#last = last;
  }

  #entry(): string {
    const text = ({ digits, scale }: Decimal): string => decimalText(digits, scale);
    const least = text(this.#least);
    if (this.#count === 1) return least;
    if (compare(this.#least, this.#greatest) === 0) return `[${this.#count},${least}]`;
    return `[${this.#count},${this.#sum.text},${least},${text(this.#greatest)},${text(this.#first)},${text(this.#last)}]`;
  }
}

/** A name, with what it has in the minute and the hour that are open. */
class Name {
  /** With its quotes. */
  readonly bytes: Buffer;
  readonly text: string;
  readonly minute = new Summary();
  readonly hour = new Summary();
  /** The name that followed it the last time. */
  next: Name | null = null;

  constructor(bytes: Buffer) {
    this.bytes = Buffer.from(bytes);
    this.text = bytes.toString('utf8');
  }

  /** Whether it stands at `at`. */
  isAt(json: Buffer, at: number): boolean {
    const { bytes } = this;
    for (let n = 0; n < bytes.length; n += 1) {
      if (json[at + n] !== bytes[n]) return false;
    }
    return true;
  }
}

export class AttributeRollup {
  readonly #names = new Map<string, Name>();
  /** Before the first name of a record. */
  readonly #start = new Name(Buffer.alloc(0));
  readonly #inMinute: Name[] = [];
  readonly #inHour: Name[] = [];
  #json: Buffer = Buffer.alloc(0);
  #at = 0;

  /** Different names that it has seen. */
  get names(): number {
    return this.#names.size;
  }

  /** @param json the buffer in which jsonb is printed from `from` to before `to` */
  take(json: Buffer, from: number, to: number): void {
    this.#json = json;
    this.#at = from + 1;
    let name = this.#start;
    while (this.#at < to - 1) {
      name = this.#name(name);
      this.#at += COLON_AND_SPACE;
      this.#value(name);
      // A comma and a space, or the end.
      this.#at += 2;
    }
  }

  /** The attributes of the minute, as JSON. The next minute begins. */
  closeMinute(): string {
    for (const name of this.#inMinute) {
      if (name.hour.isEmpty) this.#inHour.push(name);
      name.hour.merge(name.minute);
    }
    return closed(this.#inMinute, (name) => name.minute);
  }

  /** The attributes of the hour, whose last minute is closed. The next hour begins. */
  closeHour(): string {
    return closed(this.#inHour, (name) => name.hour);
  }

  #name(before: Name): Name {
    const { next } = before;
    if (next?.isAt(this.#json, this.#at) === true) {
      this.#at += next.bytes.length;
      return next;
    }
    const from = this.#at;
    this.#skipString();
    const bytes = this.#json.subarray(from, this.#at);
    const key = bytes.toString('latin1');
    const name = this.#names.get(key) ?? new Name(bytes);
    this.#names.set(key, name);
    before.next = name;
    return name;
  }

  #value(name: Name): void {
    const first = this.#json[this.#at] ?? 0;
    if (first === MINUS || (first >= ZERO && first <= NINE)) this.#take(name, this.#number(name.minute.last));
    else if (first === QUOTE) this.#skipString();
    else if (first === LETTER_T) this.#constant(name, 'true', TRUE);
    else if (first === LETTER_F) this.#constant(name, 'false', FALSE);
    else if (first === LETTER_N) this.#at += 'null'.length;
    else this.#skipNested();
  }

  #constant(name: Name, word: string, value: Decimal): void {
    this.#at += word.length;
    this.#take(name, value);
  }

  #take(name: Name, value: Decimal): void {
    const { minute } = name;
    if (minute.isEmpty) this.#inMinute.push(name);
    minute.take(value);
  }

  /** @param last returned where it is the same */
  #number(last: Decimal): Decimal {
    const json = this.#json;
    const from = this.#at;
    let at = json[from] === MINUS ? from + 1 : from;
    let [digits, significant, point] = [0, 0, -1];
    for (; ; at += 1) {
      const byte = json[at] ?? 0;
      if (byte >= ZERO && byte <= NINE) {
        digits = digits * 10 + byte - ZERO;
        if (digits > 0) significant += 1;
      } else if (byte === POINT) point = at;
      else break;
    }
    this.#at = at;
    const scale = point < 0 ? 0 : at - point - 1;
    if (significant > EXACT_DIGITS || scale > EXACT_SCALE) return longDecimal(json.toString('latin1', from, at));
    const signed = json[from] === MINUS ? -digits : digits;
    return last.digits === signed && last.scale === scale ? last : shortDecimal(signed, scale);
  }

  #skipString(): void {
    let at = this.#at + 1;
    while (this.#json[at] !== QUOTE) at += this.#json[at] === BACKSLASH ? 2 : 1;
    this.#at = at + 1;
  }

  /** An array or an object, with what is in it. */
  #skipNested(): void {
    let depth = 0;
    do {
      const byte = this.#json[this.#at];
      if (byte === QUOTE) {
        this.#skipString();
        continue;
      }
      if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) depth += 1;
      else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth -= 1;
      this.#at += 1;
    } while (depth > 0);
  }
}

/** An object of the entries of these names, which are none from then on. */
function closed(names: Name[], summaryOf: (name: Name) => Summary): string {
  const entries = names.map((name) => `${name.text}:${summaryOf(name).close()}`);
  names.length = 0;
  return `{${entries.join(',')}}`;
}
