/**
 * The SQL that estimates the rows a question would read, out of what `device_state` knows of each device and
 * `rollup_state` of the rollups. Pure. Reads no history: a row for each device, and the marks of late hours.
 *
 * Of rollups, what is not rolled up is read from the records: the last minutes, hours and minutes that got late
 * records, and the past while it is being filled. Those are counted as the records they are. Of the open hour minutes
 * are read, whatever level is asked.
 */

/** A tracker whose clock once said 1970 has not sent for 56 years. */
const LONGEST = "interval '400 days'";
/** Marks that are counted. With more, the hours and minutes that they stand for are at least so many. */
const MARKS_LIMIT = 10_000;

const CHOSEN = '($3::bigint[] is null or device_id = any($3::bigint[]))';

/** Each device: how many records it has, from when to when, epoch seconds. */
const DEVICES = `
    select device_id, records::float8 as records, date_part('epoch', ts) as ends,
      date_part('epoch', greatest(first_ts, ts - ${LONGEST})) as begins,
      date_part('epoch', ts) - date_part('epoch', greatest(first_ts, ts - ${LONGEST})) as span
    from device_state where ${CHOSEN}`;

/** Records of a device from `from` to `to`, SQL of epoch seconds, as if it had sent at an even pace. */
function recordsBetween(from: string, to: string): string {
  return `case when span > 0 then records * greatest(0, least(ends, ${to}) - greatest(begins, ${from})) / span
      when begins >= ${from} and begins < ${to} then records else 0 end`;
}

/** Of records. Parameters: from and to, epoch seconds; ids of devices, null: all. */
export const RECORDS_COST = `
  select coalesce(sum(${recordsBetween('$1::float8', '$2::float8')}), 0)::float8 as rows, 0::float8 as unrolled, null::float8 as "hoursTo", null::float8 as "minutesTo"
  from (${DEVICES}) d`;

/** Of rollups: the parameters of `RECORDS_COST`, and how many rollups a device has at most in the range. */
function rollupsCost(filledFrom: 'minutes_from' | 'hours_from'): string {
  return `
  with state as (
    select greatest(${filledFrom}, raw_from) as late_from, rolled_to, minutes_to, date_part('epoch', ${filledFrom}) as filled_from,
      date_part('epoch', rolled_to) as hours_to, date_part('epoch', minutes_to) as filled_to
    from rollup_state
  ), late as (
    select device_id, count(*)::float8 as marks, sum(seconds)::float8 as seconds from (
      select distinct device_id, case when hour < rolled_to then hour else coalesce(minute, hour) end as begins,
        case when hour < rolled_to or minute is null then 3600 else 60 end as seconds
      from rollup_marks, state
      where ${CHOSEN} and hour > to_timestamp($1::float8) - interval '1 hour' and hour < to_timestamp($2::float8)
        and hour >= late_from and coalesce(minute, hour) < minutes_to
      limit ${MARKS_LIMIT}) m
    group by 1
  ), counted as (
    select least(${recordsBetween('greatest($1::float8, filled_from)', 'least($2::float8, hours_to)')}, $4::float8)
      + least(${recordsBetween('greatest($1::float8, hours_to)', 'least($2::float8, filled_to)')},
        greatest(0, least($2::float8, filled_to) - greatest($1::float8, hours_to)) / 60) as rolled,
      ${recordsBetween('greatest($1::float8, filled_to)', '$2::float8')}
      + ${recordsBetween('$1::float8', 'least($2::float8, filled_from, hours_to)')}
      + case when marks is null then 0 else greatest(marks, least(records, seconds * records / nullif(span, 0))) end as unrolled
    from (${DEVICES}) d cross join state left join late using (device_id)
  )
  select coalesce(sum(rolled + unrolled), 0)::float8 as rows, coalesce(sum(unrolled), 0)::float8 as unrolled,
    (select nullif(hours_to, '-infinity') from state) as "hoursTo", (select nullif(filled_to, '-infinity') from state) as "minutesTo"
  from counted`;
}

export const ROLLUPS_COST = { minutes: rollupsCost('minutes_from'), hours: rollupsCost('hours_from') } as const;
