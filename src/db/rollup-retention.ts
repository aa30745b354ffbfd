/**
 * What retention leaves of positions and of their rollups. `rollup_state` is told before anything is dropped, so that
 * an hour whose positions are gone is never rolled up again from what came late for it. Errors: those of PostgreSQL.
 */
import type { PoolClient } from 'pg';
import type { Settings } from '../config/settings.ts';
import { sqlTime } from './sql-time.ts';

export type RollupSettings = Pick<
  Settings, 'POSITIONS_RETENTION_DAYS' | 'ROLLUP_MINUTES_RETENTION_DAYS' | 'ROLLUP_HOURS_RETENTION_DAYS'>;

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Positions this much younger than the end of their retention count as dropped: jobs have a clock of their own. */
const RAW_MARGIN_MS = HOUR_MS;

export function hourOf(time: number): number {
  return Math.floor(time / HOUR_MS) * HOUR_MS;
}

/** First hour to be kept; -Infinity: all are. */
function keptFrom(now: number, days: number, marginMs = 0): number {
  return days === 0 ? -Infinity : hourOf(now - days * DAY_MS + marginMs);
}

/** What retention leaves of each level. */
export interface Kept {
  readonly raw: number;
  readonly minutes: number;
  readonly hours: number;
}

export function keptAt(now: number, settings: RollupSettings): Kept {
  return {
    raw: keptFrom(now, settings.POSITIONS_RETENTION_DAYS, RAW_MARGIN_MS),
    minutes: keptFrom(now, settings.ROLLUP_MINUTES_RETENTION_DAYS),
    hours: keptFrom(now, settings.ROLLUP_HOURS_RETENTION_DAYS),
  };
}

/**
 * Before anything is dropped. Never goes back: what is dropped does not return when a setting is raised. Minutes of an
 * hour that was never rolled up are given up where they may be dropped.
 */
export async function applyRetention(client: PoolClient, { raw, minutes, hours }: Kept): Promise<void> {
  await client.query(
    `update rollup_state set raw_from = greatest(raw_from, $1), minutes_from = greatest(minutes_from, $2),
       hours_from = greatest(hours_from, $3), minutes_to = case when rolled_to < $2 then rolled_to else minutes_to end
     where raw_from < $1 or minutes_from < $2 or hours_from < $3`,
    [raw, minutes, hours].map(sqlTime));
}

