/**
 * Steps of a series: how long a bucket is. Pure.
 *
 * A fixed step is so many milliseconds, its buckets begin at multiples of it since 1970-01-01T00:00Z, whatever the time
 * zone. A calendar step is so many local days, weeks (from Monday) or months, however long those are in the time zone.
 */

export type CalendarUnit = 'day' | 'week' | 'month';

export type Step =
  | { readonly kind: 'fixed'; readonly ms: number }
  | { readonly kind: 'calendar'; readonly unit: CalendarUnit; readonly count: number };

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Beyond it a step is a mistake. */
const MAX_FIXED_MS = 366 * DAY_MS;
const MAX_COUNT = 366;

const SECONDS = /^\d{1,9}$/;
const CALENDAR = /^P(\d{1,3})([DWM])$/;
const TIME = /^PT(?=\d)(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?$/;
const UNITS: Readonly<Record<string, CalendarUnit>> = { D: 'day', W: 'week', M: 'month' };

/** What a reader of an error needs to know. */
export const STEP_EXPECTED = 'seconds, or a duration like PT30S, PT15M, PT1H, P1D, P1W or P1M, up to a year';

function fixed(ms: number): Step | undefined {
  return ms >= SECOND_MS && ms <= MAX_FIXED_MS ? { kind: 'fixed', ms } : undefined;
}

/** Seconds, or an ISO 8601 duration of either a time of day or one calendar unit; undefined for anything else. */
export function parseStep(text: string): Step | undefined {
  if (SECONDS.test(text)) return fixed(Number(text) * SECOND_MS);
  const [, count, letter] = CALENDAR.exec(text) ?? [];
  const unit = UNITS[letter ?? ''];
  if (unit !== undefined) {
    const number = Number(count);
    return number >= 1 && number <= MAX_COUNT ? { kind: 'calendar', unit, count: number } : undefined;
  }
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((digits: string | undefined) => Number(digits ?? 0));
  return fixed(hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS);
}

/** ISO 8601, the same for equal steps: `PT1H30M`, `P1D`. */
export function stepText(step: Step): string {
  if (step.kind === 'calendar') return `P${step.count}${step.unit.charAt(0).toUpperCase()}`;
  const hours = Math.floor(step.ms / HOUR_MS);
  const minutes = Math.floor((step.ms % HOUR_MS) / MINUTE_MS);
  const seconds = (step.ms % MINUTE_MS) / SECOND_MS;
  return `PT${hours > 0 ? `${hours}H` : ''}${minutes > 0 ? `${minutes}M` : ''}${seconds > 0 ? `${seconds}S` : ''}`;
}

/** Enough for a chart of the width of a screen. */
const USUAL_BUCKETS = 500;
const USUAL_MS = [
  ...[1, 5, 10, 15, 30].map((seconds) => seconds * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS),
];

/** The step for who names none: the shortest usual one that makes at most 500 buckets of so long a range. */
export function usualStep(rangeMs: number): Step {
  const ms = USUAL_MS.find((candidate) => rangeMs / candidate <= USUAL_BUCKETS);
  if (ms !== undefined) return { kind: 'fixed', ms };
  return { kind: 'calendar', unit: rangeMs / DAY_MS <= USUAL_BUCKETS ? 'day' : 'week', count: 1 };
}
