/**
 * Local days in time zones, by the tables of the ICU that Node brings. Pure: no clock.
 *
 * Midnight is where the local date begins. Where a change of the clocks skips it, the day begins at the first instant
 * after the change; where the clocks pass it twice, at the first of the two.
 */
import { LRUCache } from 'lru-cache';

const DAY_MS = 86_400_000;
/** Callers ask for a few zones; there are about 600. */
const FORMATS_LIMIT = 700;

const formats = new LRUCache<string, Intl.DateTimeFormat>({ max: FORMATS_LIMIT });

/** A calendar date, `month` from 1. Values beyond their range count on: day 0 is the last of the month before. */
export interface LocalDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone, calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23', era: 'short',
    year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
  });
  formats.set(zone, format);
  return format;
}

/** Whether `zone` names a time zone: `Europe/Berlin`, `UTC`, `+05:30`. */
export function isTimeZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Where the date begins in UTC, epoch milliseconds. Not `Date.UTC`, which takes the year 26 for 1926. */
export function midnightUtc({ year, month, day }: LocalDate): number {
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

/** What the clock on the wall shows, as if it were UTC: epoch milliseconds, whole seconds. */
function wallClock(zone: string, ts: number): number {
  const parts = new Map(formatOf(zone).formatToParts(ts).map(({ type, value }) => [type, value]));
  const part = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name) ?? 0);
  // The year before the year 1 is 1 BC.
  const year = parts.get('era') === 'BC' ? 1 - part('year') : part('year');
  const midnight = midnightUtc({ year, month: part('month'), day: part('day') });
  return midnight + (part('hour') * 3_600 + part('minute') * 60 + part('second')) * 1_000;
}

/** How far the wall clock is ahead of UTC at `ts`, milliseconds. */
function offsetAt(zone: string, ts: number): number {
  return wallClock(zone, ts) - Math.floor(ts / 1_000) * 1_000;
}

export function localDate(zone: string, ts: number): LocalDate {
  const date = new Date(wallClock(zone, ts));
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** The first instant of a local date, epoch milliseconds. */
export function startOfDate(zone: string, date: LocalDate): number {
  const wall = midnightUtc(date);
  const before = offsetAt(zone, wall - DAY_MS);
  const after = offsetAt(zone, wall + DAY_MS);
  if (before === after) return wall - before;
  const candidates = [wall - before, wall - after].filter((ts) => wallClock(zone, ts) === wall);
  // None: the clocks were put forward over midnight, and did so when the old offset would have made it midnight.
  return candidates.length === 0 ? wall - before : Math.min(...candidates);
}
