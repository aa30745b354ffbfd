/** How far back each level of the history goes, by the settings. */
import type { Settings } from '../../config/settings.ts';
import type { Source } from './routing.ts';

type RetentionSettings = Pick<
  Settings, 'POSITIONS_RETENTION_DAYS' | 'ROLLUP_MINUTES_RETENTION_DAYS' | 'ROLLUP_HOURS_RETENTION_DAYS'
>;

const DAY_MS = 86_400_000;

/** The oldest instant that each level keeps for certain, epoch milliseconds; −Infinity: it keeps all. */
export function oldestOf(settings: RetentionSettings, now: number): Readonly<Record<Source, number>> {
  const oldest = (days: number): number => (days === 0 ? -Infinity : now - days * DAY_MS);
  return {
    raw: oldest(settings.POSITIONS_RETENTION_DAYS),
    minutes: oldest(settings.ROLLUP_MINUTES_RETENTION_DAYS),
    hours: oldest(settings.ROLLUP_HOURS_RETENTION_DAYS),
  };
}
