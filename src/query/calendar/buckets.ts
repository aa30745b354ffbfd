/**
 * A range of time cut into buckets, widened to whole ones: the buckets of two questions with the same step are the same
 * where they overlap, and questions within one bucket are the same question. Pure.
 */
import type { CalendarUnit, Step } from './step.ts';
import type { LocalDate } from './time-zone.ts';
import { localDate, midnightUtc, startOfDate } from './time-zone.ts';

/** From the first instant to the first one after, epoch milliseconds. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

export interface Buckets extends TimeRange {
  readonly step: Step;
  /** Where each begins, ascending; the last one ends at `to`. */
  readonly starts: readonly number[];
}

/** Of the range, in buckets. */
export class TooManyBuckets extends Error {
  override readonly name = 'TooManyBuckets';
}

const DAY_MS = 86_400_000;
/** 1969-12-29, the Monday before 1970, in days since 1970. */
const MONDAY = -3;

function dayNumber(date: LocalDate): number {
  return Math.round(midnightUtc(date) / DAY_MS);
}

function dateOf(day: number): LocalDate {
  return { year: 1970, month: 1, day: day + 1 };
}

/** The number of the calendar unit in which a date lies, counted from 1970. */
function unitNumber(unit: CalendarUnit, date: LocalDate): number {
  switch (unit) {
    case 'day':
      return dayNumber(date);
    case 'week':
      return Math.floor((dayNumber(date) - MONDAY) / 7);
    case 'month':
      return (date.year - 1970) * 12 + date.month - 1;
  }
}

function firstDate(unit: CalendarUnit, number: number): LocalDate {
  switch (unit) {
    case 'day':
      return dateOf(number);
    case 'week':
      return dateOf(MONDAY + 7 * number);
    case 'month':
      return { year: 1970, month: 1 + number, day: 1 };
  }
}

interface CalendarStep {
  readonly unit: CalendarUnit;
  readonly count: number;
}

function calendarBoundaries(range: TimeRange, { unit, count }: CalendarStep, zone: string, limit: number): number[] {
  const first = Math.floor(unitNumber(unit, localDate(zone, range.from)) / count);
  const boundaries: number[] = [];
  for (let index = first; boundaries.length <= limit + 1; index += 1) {
    const start = startOfDate(zone, firstDate(unit, index * count));
    boundaries.push(start);
    if (start >= range.to) return boundaries;
  }
  throw new TooManyBuckets(`more than ${limit} buckets`);
}

function fixedBoundaries(range: TimeRange, ms: number, limit: number): number[] {
  const first = Math.floor(range.from / ms);
  const last = Math.ceil(range.to / ms);
  if (last - first > limit) throw new TooManyBuckets(`more than ${limit} buckets`);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * ms);
}

/**
 * @param range not empty
 * @param limit most buckets
 * @throws TooManyBuckets
 */
export function cutIntoBuckets(range: TimeRange, step: Step, zone: string, limit: number): Buckets {
  const boundaries = step.kind === 'fixed'
    ? fixedBoundaries(range, step.ms, limit)
    : calendarBoundaries(range, step, zone, limit);
  const starts = boundaries.slice(0, -1);
  return { step, starts, from: boundaries[0] as number, to: boundaries.at(-1) as number };
}

/** Whether every bucket begins and ends at a multiple of `ms` since 1970. */
export function areMultiplesOf(ms: number, { starts, to }: Buckets): boolean {
  return to % ms === 0 && starts.every((start) => start % ms === 0);
}
