/**
 * Keeps the rollups of positions: minutes and hours that are over, those that got late records, and, after an upgrade,
 * the past.
 * One instance does it at a time. A round that is cut off at any point has lost nothing and done nothing by half: what
 * is stored counts from the moment that `rollup_state` says so, or that the mark is gone, and until then `positions`
 * answers.
 *
 * Errors: those of PostgreSQL, for the caller to report; the next round goes on.
 */
import type { Pool, PoolClient } from 'pg';
import { LOCK_SPACE, ROLLUP_LOCK } from '../../db/advisory-locks.ts';
import type { Kept, RollupSettings } from '../../db/rollup-retention.ts';
import { HOUR_MS, applyRetention, hourOf, keptAt } from '../../db/rollup-retention.ts';
import { sqlTime } from '../../db/sql-time.ts';
import type { CoreEvents } from '../events.ts';
import type { RollupCause, RollupStats } from './causes.ts';
import type { TouchedHour } from './hours.ts';
import { BATCH, activeIn, rollUp, sumUp } from './hours.ts';
import type { MinutesWork } from './minutes.ts';
import { rollUpLateMinutes, rollUpMinutes } from './minutes.ts';
import type { RollupState } from './state.ts';
import { closeMinutes, hoursEnd, readState, setFilledFrom, setMinutesTo, setRolledTo } from './state.ts';

interface RollupOptions {
  readonly settings: RollupSettings & { readonly ROLLUP_INTERVAL_MS: number };
  readonly events: Pick<CoreEvents, 'rolledUp' | 'minutesRolledUp' | 'rollupsMeasured' | 'rollupWaits' | 'rollupsFilled'>;
  readonly signal: AbortSignal;
}

const TAKE_MARKED = `
  select m.device_id as "deviceId", m.hour as hour from rollup_marks m, rollup_state s
  where m.hour >= least(s.minutes_from, s.hours_from) and m.hour >= s.raw_from and m.hour < s.rolled_to
  group by 1, 2 order by 1, 2 limit ${BATCH}`;

/** Of hours that are answered from positions, or whose positions may be gone. */
const DROP_NEEDLESS_MARKS = `
  delete from rollup_marks m using rollup_state s
  where m.hour < least(s.minutes_from, s.hours_from) or m.hour < s.raw_from`;

/** Marks that are counted: beyond, their number is what the last ANALYZE found, and so many at least. */
const MARKS_COUNTED = 10_000;

/** Of every instance in every round, so it must not cost more the more marks there are. */
const MEASURE = `
  select (
      select case when counted.marks < ${MARKS_COUNTED} then counted.marks else greatest(counted.marks, c.reltuples) end::bigint
      from (select count(*) as marks from (select from rollup_marks limit ${MARKS_COUNTED}) m) counted,
        pg_class c where c.oid = 'rollup_marks'::regclass) as marks,
    case when rolled_to = '-infinity' then 0 else date_part('epoch', now() - rolled_to) end as "lagSeconds",
    case when rolled_to = '-infinity' then 0 else date_part('epoch', now() - minutes_to) end as "minutesLagSeconds"
  from rollup_state`;

async function timeOf(client: PoolClient, sql: string, values: readonly string[]): Promise<number | null> {
  const { rows } = await client.query<{ time: number | null }>(sql, [...values]);
  return rows[0]?.time ?? null;
}

class Round {
  readonly #client: PoolClient;
  readonly #options: RollupOptions;
  readonly #kept: Kept;
  readonly #minutesWork: MinutesWork;

  constructor(client: PoolClient, options: RollupOptions, now: number) {
    const { settings, events, signal } = options;
    this.#client = client;
    this.#options = options;
    this.#kept = keptAt(now, settings);
    this.#minutesWork = { client, kept: this.#kept, signal, onStored: events.minutesRolledUp };
  }

  async run(state: RollupState): Promise<void> {
    await applyRetention(this.#client, this.#kept);
    if (!state.begun) return;
    await this.#client.query(DROP_NEEDLESS_MARKS);
    await this.#rollUpEnded(state);
    await this.#rollUpLate();
    await this.#fill();
  }

  async #rollUpEnded(state: RollupState): Promise<void> {
    const { signal, events } = this.#options;
    const end = await closeMinutes(this.#client, state, signal);
    if (end === null) {
      events.rollupWaits();
      return;
    }
    if (state.rolledTo === -Infinity) return setRolledTo(this.#client, hoursEnd(state));
    // Before their hour is made of them.
    const isOver = this.#timeSlice();
    while (!isOver() && await rollUpLateMinutes(this.#minutesWork));
    await this.#rollUpHours(hoursEnd(state));
    await this.#rollUpMinutes(end);
  }

  async #rollUpHours(end: number): Promise<void> {
    const { rolledTo, minutesTo } = await readState(this.#client);
    let hour = rolledTo;
    while (hour < end) {
      const next = hour + HOUR_MS;
      const isSum = next <= minutesTo && hour >= Math.max(this.#kept.minutes, this.#kept.hours);
      const active = await activeIn(this.#client, hour, isSum ? 'minutes' : 'records');
      if (!(await this.#rollUp(active, 'over', isSum))) return;
      hour = isSum || active.length > 0 ? next : await this.#nextHour(hour, end);
      await setRolledTo(this.#client, hour);
    }
  }

  async #rollUpMinutes(to: number): Promise<void> {
    let { minutesTo } = await readState(this.#client);
    while (minutesTo < to && !this.#options.signal.aborted) {
      const end = await rollUpMinutes(this.#minutesWork, minutesTo, to);
      if (end === null) return;
      await setMinutesTo(this.#client, end);
      minutesTo = end;
    }
  }

  async #nextHour(from: number, end: number): Promise<number> {
    const sql = 'select min(ts) as time from positions where ts >= $1 and ts < $2';
    const time = await timeOf(this.#client, sql, [from, end].map(sqlTime));
    return time === null ? end : hourOf(time);
  }

  async #rollUpLate(): Promise<void> {
    const isOver = this.#timeSlice();
    while (!isOver()) {
      const { rows } = await this.#client.query<TouchedHour>(TAKE_MARKED);
      if (rows.length === 0 || !(await this.#rollUp(rows, 'late'))) return;
    }
  }

  /** The past, the newest hour first. Half of the time is left to others. */
  async #fill(): Promise<void> {
    const { minutes, hours } = this.#kept;
    const oldest = Math.min(minutes, hours);
    const isOver = this.#timeSlice();
    while (!isOver()) {
      const { minutesFrom, hoursFrom, rawFrom } = await readState(this.#client);
      const before = Math.min(minutesFrom, hoursFrom);
      if (before <= oldest) return;
      const active = await this.#lastActive(before, Math.max(oldest, rawFrom));
      const hour = active[0]?.hour;
      if (hour === undefined) {
        await setFilledFrom(this.#client, before, this.#kept);
        this.#options.events.rollupsFilled();
        return;
      }
      if (!(await this.#rollUp(active, 'past'))) return;
      await setFilledFrom(this.#client, before, { minutes: Math.max(hour, minutes), hours: Math.max(hour, hours) });
    }
  }

  /** Trackers of the last hour before `before`, and not before `oldest`, that has records. */
  async #lastActive(before: number, oldest: number): Promise<TouchedHour[]> {
    if (before <= oldest) return [];
    // The hour before has records nearly always, and the last record of a compressed chunk is expensive to find.
    const active = await activeIn(this.#client, before - HOUR_MS);
    if (active.length > 0) return active;
    const sql = 'select max(ts) as time from positions where ts < $1 and ts >= $2';
    const time = await timeOf(this.#client, sql, [before, oldest].map(sqlTime));
    return time === null ? [] : activeIn(this.#client, hourOf(time));
  }

  /** @param isSum of their minutes @returns whether all of it is done; false: `signal` has aborted */
  async #rollUp(touched: readonly TouchedHour[], cause: RollupCause, isSum = false): Promise<boolean> {
    for (let at = 0; at < touched.length; at += BATCH) {
      if (this.#options.signal.aborted) return false;
      const batch = touched.slice(at, at + BATCH);
      const startedAt = performance.now();
      await (isSum ? sumUp(this.#client, batch) : rollUp(this.#client, batch, this.#kept, cause !== 'late'));
      this.#options.events.rolledUp(cause, batch.length, performance.now() - startedAt);
    }
    return true;
  }

  #timeSlice(): () => boolean {
    const { settings, signal } = this.#options;
    const end = performance.now() + settings.ROLLUP_INTERVAL_MS;
    return () => signal.aborted || performance.now() > end;
  }
}

async function measure(pool: Pool, events: RollupOptions['events']): Promise<void> {
  const { rows: [found] } = await pool.query<RollupStats>(MEASURE);
  if (found !== undefined) events.rollupsMeasured(found);
}

/** One round, unless another instance is at it. */
async function roundOrNothing(pool: Pool, options: RollupOptions): Promise<void> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ locked: boolean }>(
      'select pg_try_advisory_lock($1, $2) as locked', [LOCK_SPACE, ROLLUP_LOCK]);
    if (rows[0]?.locked !== true) return;
    const state = await readState(client);
    await new Round(client, options, state.now).run(state);
  } finally {
    // The session ends with its lock, whatever state the work left it in.
    client.release(true);
  }
}

/** To be called again and again by every instance. */
export async function keepRollups(pool: Pool, options: RollupOptions): Promise<void> {
  try {
    await roundOrNothing(pool, options);
  } finally {
    if (!options.signal.aborted) await measure(pool, options.events);
  }
}
