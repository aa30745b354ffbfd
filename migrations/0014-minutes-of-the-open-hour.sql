-- Minutes of the hours that are not over are stored too, some minutes behind: of a fleet that sends 5,000 records a second
-- the open hour has up to 18 million, and a question about it reads those of the last minutes now. An hour that is over
-- is made of its minutes.

-- From rolled_to on only minutes are stored, up to minutes_to.
alter table rollup_state add column minutes_to timestamptz not null default '-infinity';
-- A core of the version before knows full hours only: it must be gone before mark_before stands within one.
update rollup_state set minutes_to = rolled_to,
  begins_at = greatest(begins_at, case when exists (select from devices) then now() + interval '1 hour' else now() end);
alter table rollup_state add constraint rollup_state_minutes_to check (minutes_to >= rolled_to);

alter table rollup_marks add column minute timestamptz;

create index minute_rollups_bucket on minute_rollups (bucket);

drop view position_minutes;
drop view position_hours;
drop function position_minutes_between(bigint[], timestamptz, timestamptz);
drop function position_hours_between(bigint[], timestamptz, timestamptz);

-- As before, all of these are dissolved by the planner; bounds of the question are conditions of every part.

-- What positions answer before rolled_to: hours with a mark, and those from before there were rollups.
create function unstored_rollups(width interval, devices bigint[], from_ts timestamptz, to_ts timestamptz)
returns setof minute_rollups language sql stable parallel safe as $$
  select t.*
  from (
    select distinct m.device_id, greatest(m.hour, from_ts) as begins, least(m.hour + interval '1 hour', to_ts) as ends
    from rollup_marks m
    where (devices is null or m.device_id = any(devices))
      and m.hour > from_ts - interval '1 hour' and m.hour < to_ts
      and m.hour >= (select greatest(case when width < interval '1 hour' then minutes_from else hours_from end, raw_from) from rollup_state)
      and m.hour < (select rolled_to from rollup_state)) as marked
  cross join lateral position_rollups_of(width, marked.device_id, marked.begins, marked.ends, from_ts, to_ts) as t
  union all
  select o.*
  from (
    select least(to_ts, case when width < interval '1 hour' then minutes_from else hours_from end, rolled_to) as ends
    from rollup_state offset 0) as past
  cross join lateral position_rollups(width, devices, from_ts, past.ends, from_ts, to_ts) as o
  where past.ends > from_ts
$$;

-- From rolled_to on. A mark without a minute touches its whole hour.
create function open_minutes(devices bigint[], from_ts timestamptz, to_ts timestamptz)
returns setof minute_rollups language sql stable parallel safe as $$
  select s.*
  from minute_rollups s
  where (devices is null or s.device_id = any(devices))
    and s.bucket >= (select rolled_to from rollup_state) and s.bucket < (select minutes_to from rollup_state)
    and s.bucket >= from_ts and s.bucket < to_ts
    and not exists (
      select from rollup_marks m
      where m.device_id = s.device_id and m.hour = date_bin(interval '1 hour', s.bucket, timestamptz '2000-01-01 00:00+00')
        and coalesce(m.minute, s.bucket) = s.bucket)
  union all
  select t.*
  from (
    select distinct m.device_id, n.minute as begins
    from rollup_marks m
    cross join lateral generate_series(coalesce(m.minute, m.hour), coalesce(m.minute, m.hour + interval '59 minutes'), interval '1 minute') as n (minute)
    where (devices is null or m.device_id = any(devices))
      and m.hour > from_ts - interval '1 hour' and m.hour < to_ts and m.hour >= (select rolled_to from rollup_state)
      and n.minute >= from_ts and n.minute < to_ts and n.minute < (select minutes_to from rollup_state)) as marked
  cross join lateral position_rollups_of(interval '1 minute', marked.device_id, marked.begins, marked.begins + interval '1 minute', from_ts, to_ts) as t
  union all
  select n.*
  from (select greatest(from_ts, minutes_to) as begins from rollup_state where minutes_to < to_ts offset 0) as present
  cross join lateral position_rollups(interval '1 minute', devices, present.begins, to_ts, from_ts, to_ts) as n
$$;

-- The same by hour. First and last are those of the order in which the innermost selects give minutes and entries.
create function open_hours(devices bigint[], from_ts timestamptz, to_ts timestamptz)
returns setof hour_rollups language sql stable parallel safe as $$
  select f.device_id, f.bucket, f.records,
    f.speed_count, f.speed_sum, f.speed_min, f.speed_max, f.speed_first, f.speed_last,
    f.altitude_count, f.altitude_sum, f.altitude_min, f.altitude_max, f.altitude_first, f.altitude_last,
    f.hdop_count, f.hdop_sum, f.hdop_min, f.hdop_max, f.hdop_first, f.hdop_last,
    f.satellites_count, f.satellites_sum, f.satellites_min, f.satellites_max, f.satellites_first, f.satellites_last,
    f.latitude_first, f.longitude_first, f.latitude_last, f.longitude_last, (
      select coalesce(jsonb_object_agg(v.name, case
        when v.n = 1 then to_jsonb(v.least)
        when v.least = v.greatest then jsonb_build_array(v.n, v.least)
        else jsonb_build_array(v.n, v.sum, v.least, v.greatest, v.first, v.last) end), '{}')
      from (
        select e.name, sum(rollup_count(e.entry))::bigint as n, sum(rollup_sum(e.entry)) as sum, min(rollup_min(e.entry)) as least,
          max(rollup_max(e.entry)) as greatest, rollup_first((array_agg(e.entry))[1]) as first, rollup_last((array_agg(e.entry))[count(*)]) as last
        from (
          select e.key collate "C" as name, e.value as entry
          from unnest(f.attributes) with ordinality as m (attributes, place)
          cross join lateral jsonb_each(m.attributes) as e
          order by 1, m.place) as e
        group by 1) as v)
  from (
    select m.device_id, date_bin(interval '1 hour', m.bucket, timestamptz '2000-01-01 00:00+00') as bucket, sum(m.records)::integer as records,
      sum(m.speed_count)::integer as speed_count, sum(m.speed_sum) as speed_sum, min(m.speed_min) as speed_min, max(m.speed_max) as speed_max,
      (array_agg(m.speed_first) filter (where m.speed_count > 0))[1] as speed_first, (array_agg(m.speed_last) filter (where m.speed_count > 0))[count(m.speed_last)] as speed_last,
      sum(m.altitude_count)::integer as altitude_count, sum(m.altitude_sum) as altitude_sum, min(m.altitude_min) as altitude_min, max(m.altitude_max) as altitude_max,
      (array_agg(m.altitude_first) filter (where m.altitude_count > 0))[1] as altitude_first, (array_agg(m.altitude_last) filter (where m.altitude_count > 0))[count(m.altitude_last)] as altitude_last,
      sum(m.hdop_count)::integer as hdop_count, sum(m.hdop_sum) as hdop_sum, min(m.hdop_min) as hdop_min, max(m.hdop_max) as hdop_max,
      (array_agg(m.hdop_first) filter (where m.hdop_count > 0))[1] as hdop_first, (array_agg(m.hdop_last) filter (where m.hdop_count > 0))[count(m.hdop_last)] as hdop_last,
      sum(m.satellites_count)::integer as satellites_count, sum(m.satellites_sum) as satellites_sum, min(m.satellites_min) as satellites_min, max(m.satellites_max) as satellites_max,
      (array_agg(m.satellites_first) filter (where m.satellites_count > 0))[1] as satellites_first, (array_agg(m.satellites_last) filter (where m.satellites_count > 0))[count(m.satellites_last)] as satellites_last,
      (array_agg(m.latitude_first) filter (where m.latitude_first is not null))[1] as latitude_first,
      (array_agg(m.longitude_first) filter (where m.latitude_first is not null))[1] as longitude_first,
      (array_agg(m.latitude_last) filter (where m.latitude_last is not null))[count(m.latitude_last)] as latitude_last,
      (array_agg(m.longitude_last) filter (where m.latitude_last is not null))[count(m.latitude_last)] as longitude_last,
      array_agg(m.attributes) as attributes
    from (select * from open_minutes(devices, from_ts, to_ts) order by device_id, bucket) as m
    group by 1, 2) as f
$$;

create function position_minutes_between(devices bigint[], from_ts timestamptz, to_ts timestamptz)
returns setof minute_rollups language sql stable parallel safe as $$
  select s.*
  from minute_rollups s
  where (devices is null or s.device_id = any(devices))
    and s.bucket >= greatest(from_ts, (select minutes_from from rollup_state))
    and s.bucket < least(to_ts, (select rolled_to from rollup_state))
    and s.bucket >= from_ts and s.bucket < to_ts
    and not exists (
      select from rollup_marks m
      where m.device_id = s.device_id and m.hour = date_bin(interval '1 hour', s.bucket, timestamptz '2000-01-01 00:00+00')
        and m.hour >= (select raw_from from rollup_state))
  union all
  select * from unstored_rollups(interval '1 minute', devices, from_ts, to_ts)
  union all
  select * from open_minutes(devices, from_ts, to_ts)
$$;

create function position_hours_between(devices bigint[], from_ts timestamptz, to_ts timestamptz)
returns setof hour_rollups language sql stable parallel safe as $$
  select s.*
  from hour_rollups s
  where (devices is null or s.device_id = any(devices))
    and s.bucket >= greatest(from_ts, (select hours_from from rollup_state))
    and s.bucket < least(to_ts, (select rolled_to from rollup_state))
    and s.bucket >= from_ts and s.bucket < to_ts
    and not exists (
      select from rollup_marks m
      where m.device_id = s.device_id and m.hour = s.bucket and m.hour >= (select raw_from from rollup_state))
  union all
  select * from unstored_rollups(interval '1 hour', devices, from_ts, to_ts)
  union all
  select * from open_hours(devices, from_ts, to_ts)
$$;

create view position_minutes as select * from position_minutes_between(null, '-infinity', 'infinity');
create view position_hours as select * from position_hours_between(null, '-infinity', 'infinity');

comment on column rollup_state.mark_before is 'A writer leaves a mark for each record before this, a full minute';
comment on column rollup_state.rolled_to is 'First hour that has no row in hour_rollups, since it is not over or not rolled up yet';
comment on column rollup_state.minutes_to is 'First minute that is answered from positions, since it is not over or not rolled up yet';
comment on table rollup_marks is 'Hours and minutes of trackers that got a late record and are to be rolled up again';
comment on column rollup_marks.minute is 'Start of the minute that was touched, in an hour from rolled_to on; null: the whole hour';
comment on function unstored_rollups is 'Minutes or hours before rollup_state.rolled_to that positions answer';
comment on function open_minutes is 'Minutes from rollup_state.rolled_to on: from minute_rollups, and the last ones from positions';
comment on function open_hours is 'Hours from rollup_state.rolled_to on, of open_minutes';
comment on function position_minutes_between is 'Minutes of these trackers (null: of all) that start at or after from_ts and before to_ts, both at full minutes';
comment on function position_hours_between is 'Hours of these trackers (null: of all) that start at or after from_ts and before to_ts, both at full hours';
comment on view position_minutes is 'Every minute of every tracker; position_minutes_between is quicker for a span of time';
comment on view position_hours is 'Every hour of every tracker; position_hours_between is quicker for a span of time';
