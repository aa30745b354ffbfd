/**
 * The SQL of the summaries of days, over the records themselves. Pure. What its numbers mean: `definitions.ts`.
 *
 * All windows have one order, that of the index of `positions`, so that the rows are sorted once or not at all. Which
 * the last record with a fix was is the greatest of arrays that begin with the time: they compare element by element.
 */
import { sqlTime } from '../../db/sql-time.ts';
import type { Buckets } from '../calendar/buckets.ts';
import { attributeNumber } from '../series/attribute-number.ts';
import type { Statement } from '../statement-values.ts';
import { StatementValues } from '../statement-values.ts';
import {
  CONNECTION_LIMIT_S, DRIFT_M, EARTH_RADIUS_M, GAP_LIMIT_S, JUMP_KPH, MOVING_KPH, ODOMETER_STEP_M,
} from './definitions.ts';

const KPH_PER_MPS = 3.6;
const JUMP_MPS = JUMP_KPH / KPH_PER_MPS;
const CONNECTION_MS = CONNECTION_LIMIT_S * 1_000;

/** One row, as `summarySql` gives it. `day` counts from 0. Seconds and metres. */
export interface SummaryRow {
  readonly deviceId: number | bigint;
  readonly day: number;
  readonly records: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly topSpeed: number | null;
  readonly movingSeconds: number;
  readonly idlingSeconds: number;
  readonly stoppedSeconds: number;
  /** null: nothing says whether the ignition was on. */
  readonly engineSeconds: number | null;
  readonly odometerMetres: number;
  readonly fixMetres: number;
}

/** No device has been so far, a light-year being 9e15 metres; and the difference of two such is a double. */
const MOST_ODOMETER_M = 1e15;

/**
 * Degrees to 1e-13: two such are equal, or differ by so much that the square of the difference is a double as well.
 * PostgreSQL refuses with an error what is too little for one.
 */
const snapped = (degrees: string): string => `${degrees} + 1000 - 1000`;

/**
 * Rows of the days and of the time around them that may be connected to them. `offset 0` here and below keeps what is
 * worked out in one step from being worked out again wherever the next one uses it.
 */
const readings = (ids: string, from: string, to: string, bounds: string): string => `
  select device_id, ts, event_id, at, speed, latitude, longitude, width_bucket(ts, ${bounds}) as day,
    case when abs(odometer) < ${MOST_ODOMETER_M} then round(odometer, 6)::float8 end as odometer, (ignition <> 0)::int::float8 as ignition
  from (
    select p.device_id, p.ts, p.event_id, date_part('epoch', p.ts) as at, p.speed::float8 as speed,
      case when p.valid then ${snapped('p.latitude')} end as latitude, case when p.valid then ${snapped('p.longitude')} end as longitude,
      ${attributeNumber("p.attributes -> 'odometer'")} as odometer,
      ${attributeNumber("p.attributes -> 'ignition'")} as ignition
    from positions p
    where p.device_id = any(${ids}) and p.ts >= ${from} and p.ts < ${to}
    offset 0) p
  offset 0`;

/** Each with what came before it: the record, the last fix, the last odometer reading, the last known ignition. */
const LINKED = `
  select device_id, ts, at, day, speed, latitude, longitude, odometer,
    lag(at) over earlier as before_at, lag(speed) over earlier as before_speed,
    max(array[at, event_id, latitude, longitude, speed]) filter (where latitude + longitude is not null)
      over before as fix,
    max(array[at, event_id, odometer]) filter (where odometer is not null) over before as reading,
    max(array[at, event_id, ignition]) filter (where ignition is not null) over before as ignition
  from readings
  window earlier as (partition by device_id order by ts, event_id),
    before as (earlier rows between unbounded preceding and 1 preceding)`;

const METRES = `2 * ${EARTH_RADIUS_M} * asin(least(1, sqrt(
      sin(radians(latitude - fix[3]) / 2) ^ 2
      + cos(radians(latitude)) * cos(radians(fix[3])) * sin(radians(longitude - fix[4]) / 2) ^ 2)))`;

/** Each stretch with its seconds and its ways; a way that does not count is 0. */
const measured = (bounds: string): string => `
  select device_id, ts, at, day, speed, before_at, fix[1] as fix_at, reading[1] as reading_at,
    date_part('epoch', (${bounds})[day]) as midnight,
    case when at - before_at <= ${GAP_LIMIT_S} then at - before_at else 0 end as seconds,
    coalesce(before_speed,
      case when fix[1] = before_at and at > before_at then metres / (at - before_at) * ${KPH_PER_MPS} end, 0
    ) >= ${MOVING_KPH} as is_moving,
    case when at - ignition[1] <= ${CONNECTION_LIMIT_S} then ignition[3] <> 0 end as is_on,
    case when at - fix[1] <= ${CONNECTION_LIMIT_S} and metres <= ${JUMP_MPS} * (at - fix[1])
      and not (coalesce(speed < ${MOVING_KPH} and fix[5] < ${MOVING_KPH}, false) and metres < ${DRIFT_M})
      then metres else 0 end as fix_metres,
    case when at - reading[1] <= ${CONNECTION_LIMIT_S} and odometer >= reading[3]
      and odometer - reading[3] <= ${JUMP_MPS} * (at - reading[1]) + ${ODOMETER_STEP_M}
      then odometer - reading[3] else 0 end as odometer_metres
  from (
    select *, case when latitude + longitude is not null and fix is not null then ${METRES} end as metres
    from linked offset 0) l
  offset 0`;

/** The part of what lasted from `since` to `at` that belongs to the day of its end, or to the one before. */
const part = (since: string): string => `
      case when ${since} is null or ${since} >= midnight then case when is_own then 1 else 0 end
        when is_own then (at - midnight) / (at - ${since}) else (midnight - ${since}) / (at - ${since}) end`;

/** A stretch over midnight is there twice: for the day of its end, and for the day before. */
const DIVIDED = `
  select device_id, ts, speed, is_own, is_moving, is_on, case when is_own then day else day - 1 end as day,
    seconds * ${part('before_at')} as seconds,
    fix_metres * ${part('fix_at')} as fix_metres,
    odometer_metres * ${part('reading_at')} as odometer_metres
  from measured cross join (values (true), (false)) as v(is_own)
  where is_own or least(before_at, fix_at, reading_at) < midnight`;

const SUMMED = `
  select device_id as "deviceId", day - 1 as day, (count(*) filter (where is_own))::int as records,
    min(ts) filter (where is_own) as "firstAt", max(ts) filter (where is_own) as "lastAt",
    max(speed) filter (where is_own) as "topSpeed",
    coalesce(sum(seconds) filter (where is_moving), 0) as "movingSeconds",
    coalesce(sum(seconds) filter (where not is_moving and is_on), 0) as "idlingSeconds",
    coalesce(sum(seconds) filter (where not is_moving and is_on is not true), 0) as "stoppedSeconds",
    case when count(is_on) > 0 then coalesce(sum(seconds) filter (where is_on), 0) end as "engineSeconds",
    sum(odometer_metres) as "odometerMetres", sum(fix_metres) as "fixMetres"
  from divided
  where day between 1 and`;


/** Rows of `SummaryRow` by device and day, for days in which there is a record. */
export function summarySql(ids: readonly string[], days: Buckets): Statement {
  const values = new StatementValues();
  const idList = values.bind(ids, 'bigint[]');
  const from = values.bind(sqlTime(days.from - CONNECTION_MS), 'timestamptz');
  const to = values.bind(sqlTime(days.to + CONNECTION_MS), 'timestamptz');
  const bounds = values.bind([...days.starts, days.to].map(sqlTime), 'timestamptz[]');
  const count = values.bind(days.starts.length, 'int');
  const text = `with readings as (${readings(idList, from, to, bounds)}), linked as (${LINKED}), measured as (${measured(bounds)}),
    divided as (${DIVIDED}) ${SUMMED} ${count}
    group by device_id, day having count(*) filter (where is_own) > 0 order by device_id, day`;
  return { text, values: values.list };
}
