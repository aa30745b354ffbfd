/**
 * How far the rollups are: the one row of `rollup_state`. Everybody who asks reads it in the same statement as what is
 * rolled up, so a change of it is seen as a whole. All times are those of the database's clock, epoch milliseconds.
 *
 * Errors: those of PostgreSQL; each step is safe to repeat.
 */
import type { PoolClient } from 'pg';
import { LOCK_SPACE, ROLLUP_WRITER_LOCK } from '../../db/advisory-locks.ts';
import { MINUTE_MS, hourOf } from '../../db/rollup-retention.ts';
import { sqlTime } from '../../db/sql-time.ts';
import { pause } from '../../shared/wait.ts';

/** An hour or a minute is rolled up when it has been over for so long: what comes later costs a second time. */
const SETTLING_MS = { hour: 5 * MINUTE_MS, minute: MINUTE_MS } as const;

const WRITER_POLL_MS = 50;
const WRITER_WAIT_MS = 30_000;

export interface RollupState {
  readonly now: number;
  /** False as long as a processor of the version before may be writing. */
  readonly begun: boolean;
  readonly markBefore: number;
  readonly rolledTo: number;
  readonly minutesTo: number;
  readonly minutesFrom: number;
  readonly hoursFrom: number;
  readonly rawFrom: number;
}

const READ = `
  select now() as "now", begins_at <= now() as begun, mark_before as "markBefore", rolled_to as "rolledTo",
    minutes_to as "minutesTo", minutes_from as "minutesFrom", hours_from as "hoursFrom", raw_from as "rawFrom"
  from rollup_state`;

export async function readState(client: PoolClient): Promise<RollupState> {
  const { rows: [state] } = await client.query<RollupState>(READ);
  if (state === undefined) throw new Error('rollup_state has no row');
  return state;
}

/** Transactions that write positions now. */
async function writers(client: PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select virtualtransaction as id from pg_locks
     where locktype = 'advisory' and classid = $1::bigint::oid and objid = $2::bigint::oid and objsubid = 2 and granted
       and database = (select oid from pg_database where datname = current_database())`,
    [LOCK_SPACE, ROLLUP_WRITER_LOCK]);
  return rows.map(({ id }) => id);
}

/** Waits until every writer of this moment is gone. @returns false when one stays, or `signal` aborts */
async function writersGone(client: PoolClient, signal: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + WRITER_WAIT_MS;
  let left = await writers(client);
  while (left.length > 0) {
    if (signal.aborted || performance.now() > deadline) return false;
    await pause(WRITER_POLL_MS, signal);
    const present = new Set(await writers(client));
    left = left.filter((id) => present.has(id));
  }
  return true;
}

/** Where those hours end that can be rolled up, by now: never beyond what `closeMinutes` says. */
export function hoursEnd({ now, rolledTo }: RollupState): number {
  return Math.max(rolledTo, hourOf(now - SETTLING_MS.hour));
}

/**
 * The end of what can be rolled up: from then on every writer marks what it writes before it, and what the others have
 * written is committed.
 * @returns null when a writer that does not know of it goes on
 */
export async function closeMinutes(
  client: PoolClient, state: RollupState, signal: AbortSignal,
): Promise<number | null> {
  const settled = Math.floor((state.now - SETTLING_MS.minute) / MINUTE_MS) * MINUTE_MS;
  const end = Math.max(state.markBefore, settled);
  if (end === state.minutesTo) return end;
  await client.query('update rollup_state set mark_before = greatest(mark_before, $1)', [sqlTime(end)]);
  return (await writersGone(client, signal)) ? end : null;
}

/** Hours before `end` are answered from what is stored. Where nothing is stored yet, nothing before it is either. */
export async function setRolledTo(client: PoolClient, end: number): Promise<void> {
  await client.query(
    `update rollup_state set rolled_to = $1, minutes_to = greatest(minutes_to, $1),
       minutes_from = case when rolled_to = '-infinity' then $1 else minutes_from end,
       hours_from = case when rolled_to = '-infinity' then $1 else hours_from end`,
    [sqlTime(end)]);
}

/** Minutes before `end` are answered from what is stored, those of the open hours too. */
export async function setMinutesTo(client: PoolClient, end: number): Promise<void> {
  await client.query('update rollup_state set minutes_to = greatest(minutes_to, $1)', [sqlTime(end)]);
}

/** Hours from `from` on are answered from what is stored, in the levels that had nothing before `before`. */
export async function setFilledFrom(
  client: PoolClient,
  before: number,
  from: Readonly<Record<'minutes' | 'hours', number>>,
): Promise<void> {
  await client.query(
    `update rollup_state set
       minutes_from = case when minutes_from = $1 then least(minutes_from, $2) else minutes_from end,
       hours_from = case when hours_from = $1 then least(hours_from, $3) else hours_from end`,
    [before, from.minutes, from.hours].map(sqlTime));
}
