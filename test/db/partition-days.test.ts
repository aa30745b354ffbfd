import { describe, expect, it } from 'vitest';
import {
  dayOf,
  expiredDays,
  firstDayKept,
  missingDays,
  partitionDay,
  partitionName,
  startOf,
} from '../../src/db/partition-days.ts';

const settings = { POSITIONS_RETENTION_DAYS: 0, POSITIONS_PARTITION_DAYS_AHEAD: 2, POSITIONS_PARTITION_DAYS_BEHIND: 3 };
const now = Date.parse('2026-11-20T23:59:59.999Z');
const today = dayOf(now);

function names(days: readonly number[]): string[] {
  return days.map((day) => partitionName(day).replace('positions_p', ''));
}

describe('names of partitions', () => {
  it('are those of the UTC day', () => {
    expect(partitionName(today)).toBe('positions_p20261120');
    expect(partitionName(dayOf(now + 1))).toBe('positions_p20261121');
    expect(startOf(today)).toBe('2026-11-20 00:00:00+00');
    expect(startOf(dayOf(-1))).toBe('1969-12-31 00:00:00+00');
  });

  it('give the day back', () => {
    for (const day of [0, today, dayOf(Date.parse('2024-02-29T12:00Z'))]) expect(partitionDay(partitionName(day))).toBe(day);
    for (const name of ['positions_default', 'positions_p2026', 'positions_p20261120_old']) {
      expect(partitionDay(name)).toBeUndefined();
    }
  });
});

describe('missingDays', () => {
  it('is from the days behind to the days ahead for a new table, the nearest first', () => {
    const expected = ['20261120', '20261119', '20261121', '20261118', '20261122', '20261117'];
    expect(names(missingDays([], settings, now))).toEqual(expected);
  });

  it('is what is ahead for a table that is kept up', () => {
    const existing = [today - 3, today - 2, today - 1, today, today + 1];
    expect(names(missingDays(existing, settings, now))).toEqual(['20261122']);
    expect(missingDays([...existing, today + 2], settings, now)).toEqual([]);
  });

  it('makes no day in the past of a table that is kept up, even where one was dropped', () => {
    expect(missingDays([today, today + 1, today + 2], settings, now)).toEqual([]);
  });

  it('closes the gap of a pause, as far back as the days behind', () => {
    expect(names(missingDays([today - 2], settings, now))).toEqual(['20261120', '20261119', '20261121', '20261122']);
    expect(names(missingDays([today - 400], settings, now)).at(-1)).toBe('20261117');
  });

  it('makes no day that retention would drop', () => {
    const short = { ...settings, POSITIONS_RETENTION_DAYS: 1 };
    expect(names(missingDays([], short, now)).sort()[0]).toBe('20261119');
  });
});

describe('retention', () => {
  const week = { ...settings, POSITIONS_RETENTION_DAYS: 7 };

  it('drops the days that are older as a whole', () => {
    expect(firstDayKept(week, now)).toBe(today - 7);
    expect(expiredDays([today - 9, today - 8, today - 7, today], week, now)).toEqual([today - 9, today - 8]);
  });

  it('keeps everything at 0', () => {
    expect(firstDayKept(settings, now)).toBeUndefined();
    expect(expiredDays([0, today], settings, now)).toEqual([]);
  });
});
