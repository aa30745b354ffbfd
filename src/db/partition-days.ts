/**
 * Which daily partitions there are to be: arithmetic on days, no database. A day is a number of whole days since the
 * epoch, in UTC. Never throws.
 */

const DAY_MS = 86_400_000;
const PREFIX = 'positions_p';
const NAME = /^positions_p(\d{4})(\d{2})(\d{2})$/;

export interface PartitionSettings {
  readonly POSITIONS_RETENTION_DAYS: number;
  readonly POSITIONS_PARTITION_DAYS_AHEAD: number;
  readonly POSITIONS_PARTITION_DAYS_BEHIND: number;
}

/** @param timeMs epoch milliseconds */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS);
}

function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** First instant of a day as a timestamp in SQL: `2026-11-20 00:00:00+00`. */
export function startOf(day: number): string {
  return `${dateOf(day)} 00:00:00+00`;
}

/** `positions_p20261120`. */
export function partitionName(day: number): string {
  return `${PREFIX}${dateOf(day).replaceAll('-', '')}`;
}

/** The day of a partition made by this version; undefined for any other table. */
export function partitionDay(name: string): number | undefined {
  const match = NAME.exec(name);
  return match === null ? undefined : dayOf(Date.parse(`${match[1]}-${match[2]}-${match[3]}T00:00:00Z`));
}

/** The first day that retention keeps; undefined when it keeps everything. */
export function firstDayKept(settings: PartitionSettings, now: number): number | undefined {
  const days = settings.POSITIONS_RETENTION_DAYS;
  return days === 0 ? undefined : dayOf(now - days * DAY_MS);
}

/** The last day to have a partition. */
export function lastDayAhead(settings: PartitionSettings, now: number): number {
  return dayOf(now) + settings.POSITIONS_PARTITION_DAYS_AHEAD;
}

/**
 * Days to make partitions for, the nearest to today first, since those are written most. For a new table from
 * POSITIONS_PARTITION_DAYS_BEHIND on; later from today on, and from the last partition on where nobody maintained them
 * for some time.
 * @param existing days that have a partition
 */
export function missingDays(existing: readonly number[], settings: PartitionSettings, now: number): number[] {
  const today = dayOf(now);
  const oldest = Math.max(today - settings.POSITIONS_PARTITION_DAYS_BEHIND, firstDayKept(settings, now) ?? -Infinity);
  const covered = existing.filter((day) => day <= today).reduce((last, day) => Math.max(last, day), -Infinity);
  const first = Math.min(today, Math.max(oldest, covered + 1));
  const count = lastDayAhead(settings, now) - first + 1;
  const have = new Set(existing);
  const days = Array.from({ length: count }, (_, index) => first + index).filter((day) => !have.has(day));
  return days.sort((a, b) => Math.abs(a - today) - Math.abs(b - today));
}

/** Days whose partition retention drops: every instant of them is older than POSITIONS_RETENTION_DAYS. */
export function expiredDays(existing: readonly number[], settings: PartitionSettings, now: number): number[] {
  const kept = firstDayKept(settings, now);
  return kept === undefined ? [] : existing.filter((day) => day < kept);
}
