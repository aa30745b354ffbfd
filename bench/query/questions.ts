/**
 * What people ask of a history, as requests of the API and as the plain SQL that Traccar's schema would need. Every
 * question is about another device or range than the one before, so that none is answered from the cache. Pure.
 */
import type { HistoryRange } from '../storage/history.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Coprime to the numbers of devices, so that every device has its turn. */
const STRIDE = 37;

export interface PlainQuestion {
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface Question {
  readonly name: string;
  /** What its p95 is meant to be, ms. */
  readonly goalMs: number;
  /** Questions of a round. */
  readonly each: number;
  /** Question number `n`. */
  path(n: number): string;
  /** The same over `tc_positions`. */
  plain(n: number): PlainQuestion;
}

export interface Subject {
  /** The trackers' own identifiers; the id in the database is the place in this list, from 1. */
  readonly imeis: readonly string[];
  /** Devices whose positions are in `tc_positions`. */
  readonly plainDevices: number;
  readonly range: HistoryRange;
}

const LAST_DAY = 'select * from tc_positions where deviceid = $1 and fixtime >= $2 and fixtime < $3 order by fixtime';

const WEEK_BY_HOUR = `
  select date_trunc('hour', fixtime), avg(speed), max(speed), avg((attributes::jsonb ->> 'power')::float8),
    max((attributes::jsonb ->> 'power')::float8)
  from tc_positions where deviceid = $1 and fixtime >= $2 and fixtime < $3 group by 1 order by 1`;

/** As Traccar itself asks when a map is opened. */
const LATEST = 'select * from tc_positions where fixtime > $1 and id in (select positionid from tc_devices)';

const MONTH = `
  select count(distinct deviceid), count(*), avg(speed), max(speed) from tc_positions where fixtime >= $1 and fixtime < $2`;

/** `tc_positions` has times without a zone. */
const utc = (ms: number): string => new Date(ms).toISOString().slice(0, -1);

/** A series of a week by hour, as every one of these questions has it. */
export function weekPath(imei: string, to: number): string {
  return `/v1/devices/${imei}/series?name=speed&name=power&agg=avg,max&step=PT1H&from=${to - 7 * DAY_MS}&to=${to}`;
}

export function questionsOf({ imeis, plainDevices, range: { to } }: Subject) {
  const imei = (n: number): string => imeis[(n * STRIDE) % imeis.length] ?? '';
  const plainId = (n: number): number => ((n * STRIDE) % plainDevices) + 1;
  return {
    lastDay: {
      name: 'last 24 h of a device', goalMs: 100, each: 60,
      path: (n) => `/v1/devices/${imei(n)}/positions?from=${to - DAY_MS}&to=${to}&limit=10000`,
      plain: (n) => ({ text: LAST_DAY, values: [plainId(n), utc(to - DAY_MS), utc(to)] }),
    },
    week: {
      name: '7 days by hour of a device', goalMs: 150, each: 60,
      path: (n) => weekPath(imei(n), to),
      plain: (n) => ({ text: WEEK_BY_HOUR, values: [plainId(n), utc(to - 7 * DAY_MS), utc(to)] }),
    },
    latest: {
      name: `latest state of ${imeis.length.toLocaleString('en')} devices`, goalMs: 50, each: 40,
      path: () => `/v1/positions/latest?limit=${imeis.length}`,
      plain: () => ({ text: LATEST, values: [utc(to - 90 * DAY_MS)] }),
    },
    month: {
      name: '30 days of the fleet', goalMs: 1_000, each: 8,
      path: (n) => `/v1/totals?from=${to - 30 * DAY_MS - n * HOUR_MS}&to=${to}`,
      plain: () => ({ text: MONTH, values: [utc(to - 30 * DAY_MS), utc(to)] }),
    },
  } as const satisfies Record<string, Question>;
}
