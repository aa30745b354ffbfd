/** The summary of a device's days, told record by record in the plainest way: what the SQL has to agree with. */
import type { Buckets } from '../../../src/query/calendar/buckets.ts';

export interface Reading {
  readonly ts: number;
  readonly eventId: number;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly speed: number | null;
  readonly valid: boolean;
  readonly odometer: number | null;
  readonly ignition: boolean | null;
}

export interface NaiveDay {
  day: number;
  records: number;
  firstAt: number;
  lastAt: number;
  topSpeed: number | null;
  moving: number;
  idling: number;
  stopped: number;
  engine: number | null;
  odometer: number;
  fixes: number;
}

const HOUR_S = 3_600;

function metres(a: Reading, b: Reading): number {
  const rad = (degrees: number): number => (degrees * Math.PI) / 180;
  const [from, to] = [rad(a.latitude!), rad(b.latitude!)];
  const h = Math.sin((to - from) / 2) ** 2
    + Math.cos(from) * Math.cos(to) * Math.sin(rad(b.longitude! - a.longitude!) / 2) ** 2;
  return 2 * 6_371_008.8 * Math.asin(Math.min(1, Math.sqrt(h)));
}

class Days {
  readonly #buckets: Buckets;
  readonly days = new Map<number, NaiveDay>();

  constructor(buckets: Buckets) {
    this.#buckets = buckets;
  }

  dayOf(ts: number): number {
    const { starts, to } = this.#buckets;
    return ts >= to ? starts.length : starts.findLastIndex((start) => start <= ts);
  }

  at(day: number): NaiveDay {
    const known = this.days.get(day) ?? {
      day, records: 0, firstAt: Infinity, lastAt: -Infinity, topSpeed: null,
      moving: 0, idling: 0, stopped: 0, engine: null, odometer: 0, fixes: 0,
    };
    this.days.set(day, known);
    return known;
  }

  /** Divides by time what lasted from one instant to another. */
  divide(from: number, to: number, amount: number, add: (day: NaiveDay, amount: number) => void): void {
    const [first, last] = [this.dayOf(from), this.dayOf(to)];
    if (first === last) {
      add(this.at(last), amount);
      return;
    }
    const midnight = last < this.#buckets.starts.length ? this.#buckets.starts[last]! : this.#buckets.to;
    add(this.at(first), (amount * (midnight - from)) / (to - from));
    add(this.at(last), (amount * (to - midnight)) / (to - from));
  }
}

interface Before {
  record?: Reading;
  fix?: Reading;
  reading?: Reading;
  ignition?: Reading;
}

const connects = (from: Reading, to: Reading): boolean => to.ts - from.ts <= 6 * HOUR_S * 1_000;

function addTime(days: Days, before: Before, now: Reading): void {
  const { record, fix, ignition } = before;
  if (record === undefined) return;
  const seconds = (now.ts - record.ts) / 1_000;
  const isOn = ignition !== undefined && connects(ignition, now) ? ignition.ignition : null;
  const hasFix = now.valid && now.latitude !== null;
  const isKnown = fix?.ts === record.ts && hasFix && seconds > 0;
  const ownSpeed = isKnown ? (metres(fix, now) / seconds) * 3.6 : 0;
  const isMoving = (record.speed ?? ownSpeed) >= 5;
  days.divide(record.ts, now.ts, seconds <= 600 ? seconds : 0, (day, part) => {
    if (isMoving) day.moving += part;
    else if (isOn === true) day.idling += part;
    else day.stopped += part;
    if (isOn !== null) day.engine = (day.engine ?? 0) + (isOn ? part : 0);
  });
}

function addWays(days: Days, before: Before, now: Reading): void {
  const { fix, reading } = before;
  if (fix !== undefined && now.valid && now.latitude !== null && connects(fix, now)) {
    const way = metres(fix, now);
    const stands = now.speed !== null && fix.speed !== null && now.speed < 5 && fix.speed < 5 && way < 100;
    const counts = !stands && way <= (300 / 3.6) * ((now.ts - fix.ts) / 1_000);
    days.divide(fix.ts, now.ts, counts ? way : 0, (day, part) => { day.fixes += part; });
  }
  if (reading !== undefined && now.odometer !== null && connects(reading, now)) {
    const way = now.odometer - reading.odometer!;
    const counts = way >= 0 && way <= (300 / 3.6) * ((now.ts - reading.ts) / 1_000) + 1_000;
    days.divide(reading.ts, now.ts, counts ? way : 0, (day, part) => { day.odometer += part; });
  }
}

/** @param readings of one device, in any order */
export function naiveSummaries(readings: readonly Reading[], buckets: Buckets): NaiveDay[] {
  const days = new Days(buckets);
  const before: Before = {};
  for (const now of readings.toSorted((a, b) => a.ts - b.ts || a.eventId - b.eventId)) {
    addTime(days, before, now);
    addWays(days, before, now);
    const day = days.at(days.dayOf(now.ts));
    day.records += 1;
    day.firstAt = Math.min(day.firstAt, now.ts);
    day.lastAt = Math.max(day.lastAt, now.ts);
    if (now.speed !== null) day.topSpeed = Math.max(day.topSpeed ?? 0, now.speed);
    before.record = now;
    if (now.valid && now.latitude !== null) before.fix = now;
    if (now.odometer !== null) before.reading = now;
    if (now.ignition !== null) before.ignition = now;
  }
  const { length } = buckets.starts;
  return [...days.days.values()].filter(({ day, records }) => day >= 0 && day < length && records > 0)
    .toSorted((a, b) => a.day - b.day);
}
