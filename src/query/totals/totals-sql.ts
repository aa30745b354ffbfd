/**
 * The SQL of totals: what devices did in a range of whole hours, all together and by group, and how many there are.
 * Pure. Out of the hours that are rolled up, which have a row for each device and hour whatever the devices report in
 * it, of the minutes since, and of the records of the last minutes: added up as they come, without the order that the
 * first and last of an hour need. Of a million records that is a third of the time.
 */
import { sqlTime } from '../../db/sql-time.ts';
import type { TimeRange } from '../calendar/buckets.ts';
import type { Group } from '../chosen-devices.ts';
import type { Statement } from '../statement-values.ts';
import { StatementValues } from '../statement-values.ts';

/** One row, as `totalsSql` gives it. */
export interface TotalsRow {
  /** The index of the group; −1: all devices together. */
  readonly key: number;
  readonly devices: number;
  readonly online: number;
  readonly offline: number;
  readonly never: number;
  readonly active: number;
  readonly records: number;
  readonly meanSpeed: number | null;
  readonly topSpeed: number | null;
}

export interface TotalsStatement {
  readonly range: TimeRange;
  /** Ids of `devices`; null: all. */
  readonly ids: readonly string[] | null;
  readonly groups: readonly Pick<Group, 'members'>[];
  /** Who has sent since then is online, epoch milliseconds. */
  readonly onlineSince: number;
  /** Where the hours end and the minutes begin: a full hour, best the first not rolled up. Epoch ms, or ±Infinity. */
  readonly hoursTo: number;
  /** Where the minutes end and the records begin: a full minute, best the first not rolled up. Likewise. */
  readonly minutesTo: number;
}

const AGGREGATES = `count(*)::int as devices,
    (count(*) filter (where last_received_at >= online_since))::int as online,
    (count(*) filter (where last_received_at < online_since))::int as offline,
    (count(*) filter (where last_received_at is null))::int as never,
    (count(*) filter (where records > 0))::int as active,
    coalesce(sum(records), 0)::float8 as records,
    (sum(speed_sum) / nullif(sum(speed_count), 0))::float8 as "meanSpeed", max(top_speed)::float8 as "topSpeed"`;

type Parts = Pick<TotalsStatement, 'range' | 'hoursTo' | 'minutesTo'>;

/** Each part is right for its own time, wherever one ends and the other begins. */
function activityParts(
  { range: { from, to }, hoursTo, minutesTo }: Parts, devices: string, values: StatementValues,
): string {
  const minutesFrom = Math.min(Math.max(hoursTo, from), to);
  const recordsFrom = Math.min(Math.max(minutesTo, minutesFrom), to);
  const [begin, split, last, end] = [from, minutesFrom, recordsFrom, to].map((ms) => values.bind(sqlTime(ms), 'timestamptz'));
  const rollups = (level: 'hours' | 'minutes', between: string): string =>
    `select device_id, records, speed_sum, speed_count, speed_max from position_${level}_between(${devices}, ${between})`;
  const records = `select device_id, count(*), sum(speed::float8), count(speed), max(speed)
    from positions
    where (${devices} is null or device_id = any(${devices})) and ts >= ${last} and ts < ${end} group by device_id`;
  return [rollups('hours', `${begin}, ${split}`), rollups('minutes', `${split}, ${last}`), records].join(' union all ');
}

export function totalsSql(statement: TotalsStatement): Statement {
  const { ids, groups, onlineSince } = statement;
  const values = new StatementValues();
  const devices = values.bind(ids, 'bigint[]');
  const since = values.bind(sqlTime(onlineSince), 'timestamptz');
  const members = values.bind(groups.flatMap((group) => group.members), 'bigint[]');
  const keys = values.bind(groups.flatMap((group, key) => group.members.map(() => key)), 'int[]');
  const text = `with activity as (
    select device_id, sum(records) as records, sum(speed_sum) as speed_sum, sum(speed_count) as speed_count, max(speed_max) as top_speed
    from (${activityParts(statement, devices, values)}) parts group by device_id
  ), chosen as (
    select d.id, s.last_received_at, ${since} as online_since, a.records, a.speed_sum, a.speed_count, a.top_speed
    from devices d left join device_state s on s.device_id = d.id left join activity a on a.device_id = d.id
    where ${devices} is null or d.id = any(${devices})
  )
  select -1 as key, ${AGGREGATES} from chosen
  union all
  select k.key, ${AGGREGATES} from unnest(${members}, ${keys}) as k(id, key) join chosen using (id) group by k.key`;
  return { text, values: values.list };
}
