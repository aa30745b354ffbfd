/**
 * Times as callers write them and as the database has them. Callers: ISO 8601 or epoch milliseconds. Database:
 * microseconds, which a cursor must not round, or a page would begin with a record that the one before has shown.
 */

/** What PostgreSQL and ISO 8601 both have without a sign: the years 1 to 9999. */
const EARLIEST_MS = -62_135_596_800_000;
const LATEST_MS = 253_402_300_799_999;

const EPOCH_MS = /^-?\d{1,15}$/;
/** A space in the place of `+`: what a query string makes of it. */
const ISO = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+ -]\d{2}:?\d{2}))?$/i;

export const TIME_EXPECTED = 'a time as ISO 8601 with Z or an offset (2026-05-04T12:30:00Z), a day of UTC (2026-05-04), or epoch milliseconds';

function isDay(date: string): boolean {
  const ms = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}

function parseIso(text: string): number {
  const [, date = '', clock = '00:00', zone = 'Z'] = ISO.exec(text) ?? [];
  if (!isDay(date)) return Number.NaN;
  const offset = zone.toUpperCase().replace(' ', '+').replace(/^(...)(\d\d)$/, '$1:$2');
  return Date.parse(`${date}T${clock.replace(/(\.\d{3})\d+$/, '$1')}${offset}`);
}

/** Epoch milliseconds; undefined: the text is no time, or none between the years 1 and 9999. */
export function parseTime(text: string): number | undefined {
  const ms = EPOCH_MS.test(text) ? Number(text) : parseIso(text);
  return isTimeMs(ms) ? ms : undefined;
}

export function isTimeMs(ms: number): boolean {
  return ms >= EARLIEST_MS && ms <= LATEST_MS;
}

/** Digits of microseconds between the years 1 and 9999. */
export function isTimestampUs(us: string): boolean {
  return /^-?\d{1,18}$/.test(us) && isTimeMs(Number(BigInt(us) / 1_000n));
}

const MICROSECONDS = 1_000n;

/** As PostgreSQL takes it for a timestamptz. @param us digits, of the years 1 to 9999 */
export function timestampOfUs(us: string): string {
  const value = BigInt(us);
  const rest = ((value % MICROSECONDS) + MICROSECONDS) % MICROSECONDS;
  const iso = new Date(Number((value - rest) / MICROSECONDS)).toISOString();
  return iso.replace('Z', `${String(rest).padStart(3, '0')}Z`);
}

/**
 * SQL for the seconds of a timestamptz, with six decimals: PostgreSQL has it as text in half the time that a product
 * takes. It is never part of a comparison.
 */
export function epochOf(column: string): string {
  return `extract(epoch from ${column})`;
}

/** Microseconds of what `epochOf` gives, exact. */
export function usOfEpoch(epoch: string): string {
  return epoch.replace('.', '');
}

/** Seconds with six decimals, of this millennium or so: milliseconds are a matter of cutting. */
const PLAIN = /^[1-9]\d*\.\d{6}$/;

/** Epoch milliseconds as digits, below which is cut, of what `epochOf` gives. `null` for a time without an end. */
export function msOfEpoch(epoch: string): string {
  if (PLAIN.test(epoch)) return epoch.slice(0, -7) + epoch.slice(-6, -3);
  const us = Number(usOfEpoch(epoch));
  return Number.isFinite(us) ? String(Math.floor(us / 1_000)) : 'null';
}

/** SQL for microseconds of a timestamptz, exact, to be compared with. */
export function usOf(column: string): string {
  return `(extract(epoch from ${column}) * 1000000)::bigint`;
}
