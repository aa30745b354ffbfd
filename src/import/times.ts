/** Times as files have them, to epoch milliseconds: numbers, ISO 8601, and dates in the order of a country. Pure. */
import type { DateOrder, TimeOptions } from './item.ts';

/** Seconds until the year 5138; milliseconds from March 1973 on. */
const LEAST_MS = 100_000_000_000;
/** Microseconds from the same day on, and nanoseconds. */
const LEAST_MICROS = LEAST_MS * 1_000;
const LEAST_NANOS = LEAST_MICROS * 1_000;

const WITH_TIME = /^(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})(?:[T ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$/i;

function fromNumber(value: number): number {
  if (!Number.isFinite(value)) return Number.NaN;
  const size = Math.abs(value);
  if (size < LEAST_MS) return Math.round(value * 1_000);
  if (size < LEAST_MICROS) return Math.round(value);
  return Math.round(size < LEAST_NANOS ? value / 1_000 : value / 1_000_000);
}

function offsetOf(zone: string): number {
  if (/^(?:Z|UTC|GMT)$/i.test(zone)) return 0;
  const [, sign, hours, minutes = '0'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? [];
  return (sign === '-' ? -60_000 : 60_000) * (Number(hours) * 60 + Number(minutes));
}

function dateOf(parts: readonly string[], order: DateOrder): readonly [year: number, month: number, day: number] {
  const [a, b, c] = parts.map(Number) as [number, number, number];
  // A year of four digits in front can only be that.
  if (order === 'ymd' || parts[0]?.length === 4) return [a, b, c];
  return order === 'dmy' ? [c, b, a] : [c, a, b];
}

/** Milliseconds that the zone is ahead of UTC at an instant. */
function zoneOffset(format: Intl.DateTimeFormat, at: number): number {
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000;
}

const QUARTER_MS = 900_000;
const REMEMBERED_QUARTERS = 50_000;

/** Reads the times of one file. */
export class TimeReader {
  readonly #order: DateOrder;
  readonly #format: Intl.DateTimeFormat | null;
  /** Offsets by the quarter of an hour of the local time: asking for one takes as long as reading a hundred lines. */
  readonly #offsets = new Map<number, number>();

  constructor({ zone, order }: TimeOptions) {
    this.#order = order;
    this.#format = /^(?:UTC|GMT|Etc\/UTC)$/i.test(zone) ? null : new Intl.DateTimeFormat('en-US', {
      timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric',
      hour: 'numeric', minute: 'numeric', second: 'numeric',
    });
  }

  /** NaN: no time. */
  read(value: unknown): number {
    if (typeof value === 'number') return fromNumber(value);
    if (typeof value !== 'string') return Number.NaN;
    const text = value.trim();
    if (/^-?\d+(?:\.\d+)?$/.test(text)) return fromNumber(Number(text));
    return this.#readDate(text);
  }

  #readDate(text: string): number {
    const match = WITH_TIME.exec(text);
    if (match === null) return Number.NaN;
    const [, first = '', second = '', third = '', hour = '0', minute = '0', seconds = '0', fraction = '', zone = ''] = match;
    const [year, month, day] = dateOf([first, second, third], this.#order);
    const isTime = Number(hour) <= 23 && Number(minute) <= 59 && Number(seconds) <= 60;
    if (String(year).length !== 4 || !isTime) return Number.NaN;
    const midnight = Date.UTC(year, month - 1, day);
    const date = new Date(midnight);
    if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return Number.NaN;
    const millis = Number(fraction.slice(0, 3).padEnd(3, '0'));
    const local = midnight + Number(hour) * 3_600_000 + Number(minute) * 60_000 + Number(seconds) * 1_000 + millis;
    return zone === '' ? local - this.#offsetAt(local) : local - offsetOf(zone);
  }

  #offsetAt(local: number): number {
    if (this.#format === null) return 0;
    const quarter = Math.floor(local / QUARTER_MS);
    const known = this.#offsets.get(quarter);
    if (known !== undefined) return known;
    const start = quarter * QUARTER_MS;
    // The offset at what would be this time in UTC is off only around a change of clocks: look again from there.
    const guess = zoneOffset(this.#format, start);
    const offset = zoneOffset(this.#format, start - guess);
    if (this.#offsets.size >= REMEMBERED_QUARTERS) this.#offsets.clear();
    this.#offsets.set(quarter, offset);
    return offset;
  }
}

export function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
