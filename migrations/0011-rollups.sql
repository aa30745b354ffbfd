-- Rollups: the records of a tracker in a minute and in an hour, as count, sum, least, greatest, first and last of every
-- measured field and numeric attribute. What is stored is an hour behind; the functions and views below answer at any
-- moment as positions would. Everything that has a position in time is in UTC.

-- One row. Hours from minutes_from (hours_from) to rolled_to are stored in minute_rollups (hour_rollups), but for
-- those that have a mark; all others are answered from positions.
create table rollup_state (
  id boolean primary key default true check (id),
  begins_at timestamptz not null,
  mark_before timestamptz not null default '-infinity',
  rolled_to timestamptz not null default '-infinity',
  minutes_from timestamptz not null default '-infinity',
  hours_from timestamptz not null default '-infinity',
  raw_from timestamptz not null default '-infinity'
);

-- A processor of the version before makes no marks. Where there may be one, nothing is rolled up until it must be gone.
insert into rollup_state (begins_at)
  select case when exists (select from devices) then now() + interval '1 hour' else now() end;

-- Added to and never changed: two writers that are late for the same hour do not wait for each other, nor for whoever
-- rolls up.
create table rollup_marks (
  id bigint generated always as identity primary key,
  device_id bigint not null,
  hour timestamptz not null
);

create index rollup_marks_hour on rollup_marks (device_id, hour);

-- First and last are those of the order in which the innermost selects give the records: cheaper than to compare them, and
-- the plan keeps it, since it is the order of the groups too.
-- Called as part of other statements, with constants and parameters in place of its arguments: a function of one SELECT,
-- which the planner dissolves, so that a question for one tracker or without attributes costs no more than it must.
create function position_rollups(width interval, devices bigint[], from_ts timestamptz, to_ts timestamptz) returns table (
  device_id bigint, bucket timestamptz, records integer,
  speed_count integer, speed_sum double precision, speed_min real, speed_max real, speed_first real, speed_last real,
  altitude_count integer, altitude_sum double precision, altitude_min real, altitude_max real, altitude_first real, altitude_last real,
  hdop_count integer, hdop_sum double precision, hdop_min real, hdop_max real, hdop_first real, hdop_last real,
  satellites_count integer, satellites_sum double precision, satellites_min smallint, satellites_max smallint, satellites_first smallint, satellites_last smallint,
  latitude_first double precision, longitude_first double precision,
  latitude_last double precision, longitude_last double precision,
  attributes jsonb
) language sql stable parallel safe as $$
  select f.device_id, f.bucket, f.records,
    f.speed_count, f.speed_sum, f.speed_min, f.speed_max, f.speed_first, f.speed_last,
    f.altitude_count, f.altitude_sum, f.altitude_min, f.altitude_max, f.altitude_first, f.altitude_last,
    f.hdop_count, f.hdop_sum, f.hdop_min, f.hdop_max, f.hdop_first, f.hdop_last,
    f.satellites_count, f.satellites_sum, f.satellites_min, f.satellites_max, f.satellites_first, f.satellites_last,
    f.latitude_first, f.longitude_first, f.latitude_last, f.longitude_last, coalesce(a.attributes, '{}')
  from (
    select p.device_id, p.bucket, count(*)::integer as records,
      count(p.speed)::integer as speed_count, sum(p.speed::double precision) as speed_sum, min(p.speed) as speed_min, max(p.speed) as speed_max,
      (array_agg(p.speed) filter (where p.speed is not null))[1] as speed_first, (array_agg(p.speed) filter (where p.speed is not null))[count(p.speed)] as speed_last,
      count(p.altitude)::integer as altitude_count, sum(p.altitude::double precision) as altitude_sum, min(p.altitude) as altitude_min, max(p.altitude) as altitude_max,
      (array_agg(p.altitude) filter (where p.altitude is not null))[1] as altitude_first, (array_agg(p.altitude) filter (where p.altitude is not null))[count(p.altitude)] as altitude_last,
      count(p.hdop)::integer as hdop_count, sum(p.hdop::double precision) as hdop_sum, min(p.hdop) as hdop_min, max(p.hdop) as hdop_max,
      (array_agg(p.hdop) filter (where p.hdop is not null))[1] as hdop_first, (array_agg(p.hdop) filter (where p.hdop is not null))[count(p.hdop)] as hdop_last,
      count(p.satellites)::integer as satellites_count, sum(p.satellites::double precision) as satellites_sum, min(p.satellites) as satellites_min, max(p.satellites) as satellites_max,
      (array_agg(p.satellites) filter (where p.satellites is not null))[1] as satellites_first, (array_agg(p.satellites) filter (where p.satellites is not null))[count(p.satellites)] as satellites_last,
      (array_agg(p.latitude) filter (where p.latitude is not null and p.longitude is not null))[1] as latitude_first,
      (array_agg(p.longitude) filter (where p.latitude is not null and p.longitude is not null))[1] as longitude_first,
      (array_agg(p.latitude) filter (where p.latitude is not null and p.longitude is not null))[count(*) filter (where p.latitude is not null and p.longitude is not null)] as latitude_last,
      (array_agg(p.longitude) filter (where p.latitude is not null and p.longitude is not null))[count(*) filter (where p.latitude is not null and p.longitude is not null)] as longitude_last
    from (
      select r.device_id, date_bin(width, r.ts, timestamptz '2000-01-01 00:00+00') as bucket, r.speed, r.altitude, r.hdop, r.satellites, r.latitude, r.longitude
      from positions r
      where (devices is null or r.device_id = any(devices)) and r.ts >= from_ts and r.ts < to_ts
      order by 1, 2, r.ts, r.event_id) as p
    group by 1, 2) as f
  left join (
    select v.device_id, v.bucket, jsonb_object_agg(v.name, case
        when v.n = 1 then to_jsonb(v.least)
        when v.least = v.greatest then jsonb_build_array(v.n, v.least)
        else jsonb_build_array(v.n, v.sum, v.least, v.greatest, v.values[1], v.values[v.n]) end) as attributes
    from (
      select p.device_id, p.bucket, p.name, count(*) as n, sum(p.value) as sum, min(p.value) as least, max(p.value) as greatest,
        array_agg(p.value) as values
      from (
        select r.device_id, date_bin(width, r.ts, timestamptz '2000-01-01 00:00+00') as bucket, e.key collate "C" as name, c.value
        from positions r
        cross join lateral jsonb_each(r.attributes) as e
        cross join lateral (select case jsonb_typeof(e.value)
          when 'number' then e.value::numeric
          when 'boolean' then case when e.value::boolean then 1 else 0 end
        end) as c (value)
        where (devices is null or r.device_id = any(devices)) and r.ts >= from_ts and r.ts < to_ts and c.value is not null
        order by 1, 2, 3, r.ts, r.event_id) as p
      group by 1, 2, 3) as v
    group by 1, 2) as a using (device_id, bucket)
$$;

-- With the bound that keeps the condition on the tracker inside, where an index serves it.
create function position_rollups_of(width interval, device bigint, from_ts timestamptz, to_ts timestamptz) returns table (
  device_id bigint, bucket timestamptz, records integer,
  speed_count integer, speed_sum double precision, speed_min real, speed_max real, speed_first real, speed_last real,
  altitude_count integer, altitude_sum double precision, altitude_min real, altitude_max real, altitude_first real, altitude_last real,
  hdop_count integer, hdop_sum double precision, hdop_min real, hdop_max real, hdop_first real, hdop_last real,
  satellites_count integer, satellites_sum double precision, satellites_min smallint, satellites_max smallint, satellites_first smallint, satellites_last smallint,
  latitude_first double precision, longitude_first double precision,
  latitude_last double precision, longitude_last double precision,
  attributes jsonb
) language sql stable parallel safe as $$
  select r.* from position_rollups(width, null, from_ts, to_ts) as r where r.device_id = device offset 0
$$;

-- Bounds are worked out before positions are asked: as plain values they choose partitions, chunks and compressed
-- batches. As expressions with a column they would be compared with every record, which opens all that is compressed.
-- What is certain to be empty is not asked for at all.
create function position_minutes_between(devices bigint[], from_ts timestamptz, to_ts timestamptz) returns table (
  device_id bigint, bucket timestamptz, records integer,
  speed_count integer, speed_sum double precision, speed_min real, speed_max real, speed_first real, speed_last real,
  altitude_count integer, altitude_sum double precision, altitude_min real, altitude_max real, altitude_first real, altitude_last real,
  hdop_count integer, hdop_sum double precision, hdop_min real, hdop_max real, hdop_first real, hdop_last real,
  satellites_count integer, satellites_sum double precision, satellites_min smallint, satellites_max smallint, satellites_first smallint, satellites_last smallint,
  latitude_first double precision, longitude_first double precision,
  latitude_last double precision, longitude_last double precision,
  attributes jsonb
) language sql stable parallel safe as $$
  select s.device_id, s.bucket, s.records,
    s.speed_count, s.speed_sum, s.speed_min, s.speed_max, s.speed_first, s.speed_last,
    s.altitude_count, s.altitude_sum, s.altitude_min, s.altitude_max, s.altitude_first, s.altitude_last,
    s.hdop_count, s.hdop_sum, s.hdop_min, s.hdop_max, s.hdop_first, s.hdop_last,
    s.satellites_count, s.satellites_sum, s.satellites_min, s.satellites_max, s.satellites_first, s.satellites_last,
    s.latitude_first, s.longitude_first, s.latitude_last, s.longitude_last, s.attributes
  from minute_rollups s
  where (devices is null or s.device_id = any(devices))
    and s.bucket >= greatest(from_ts, (select minutes_from from rollup_state))
    and s.bucket < least(to_ts, (select rolled_to from rollup_state))
    and not exists (
      select from rollup_marks m
      where m.device_id = s.device_id and m.hour = date_bin(interval '1 hour', s.bucket, timestamptz '2000-01-01 00:00+00')
        and m.hour >= (select raw_from from rollup_state))
  union all
  select t.*
  from (
    select distinct m.device_id, greatest(m.hour, from_ts) as begins, least(m.hour + interval '1 hour', to_ts) as ends
    from rollup_marks m
    where (devices is null or m.device_id = any(devices))
      and m.hour > from_ts - interval '1 hour' and m.hour < to_ts
      and m.hour >= (select greatest(minutes_from, raw_from) from rollup_state)
      and m.hour < (select rolled_to from rollup_state)) as marked
  cross join lateral position_rollups_of(interval '1 minute', marked.device_id, marked.begins, marked.ends) as t
  union all
  select n.*
  from (select greatest(from_ts, rolled_to) as begins from rollup_state where rolled_to < to_ts offset 0) as present
  cross join lateral position_rollups(interval '1 minute', devices, begins, to_ts) as n
  union all
  select o.*
  from (select least(to_ts, minutes_from) as ends from rollup_state where minutes_from > from_ts offset 0) as past
  cross join lateral position_rollups(interval '1 minute', devices, from_ts, ends) as o
$$;

create function position_hours_between(devices bigint[], from_ts timestamptz, to_ts timestamptz) returns table (
  device_id bigint, bucket timestamptz, records integer,
  speed_count integer, speed_sum double precision, speed_min real, speed_max real, speed_first real, speed_last real,
  altitude_count integer, altitude_sum double precision, altitude_min real, altitude_max real, altitude_first real, altitude_last real,
  hdop_count integer, hdop_sum double precision, hdop_min real, hdop_max real, hdop_first real, hdop_last real,
  satellites_count integer, satellites_sum double precision, satellites_min smallint, satellites_max smallint, satellites_first smallint, satellites_last smallint,
  latitude_first double precision, longitude_first double precision,
  latitude_last double precision, longitude_last double precision,
  attributes jsonb
) language sql stable parallel safe as $$
  select s.device_id, s.bucket, s.records,
    s.speed_count, s.speed_sum, s.speed_min, s.speed_max, s.speed_first, s.speed_last,
    s.altitude_count, s.altitude_sum, s.altitude_min, s.altitude_max, s.altitude_first, s.altitude_last,
    s.hdop_count, s.hdop_sum, s.hdop_min, s.hdop_max, s.hdop_first, s.hdop_last,
    s.satellites_count, s.satellites_sum, s.satellites_min, s.satellites_max, s.satellites_first, s.satellites_last,
    s.latitude_first, s.longitude_first, s.latitude_last, s.longitude_last, s.attributes
  from hour_rollups s
  where (devices is null or s.device_id = any(devices))
    and s.bucket >= greatest(from_ts, (select hours_from from rollup_state))
    and s.bucket < least(to_ts, (select rolled_to from rollup_state))
    and not exists (
      select from rollup_marks m
      where m.device_id = s.device_id and m.hour = date_bin(interval '1 hour', s.bucket, timestamptz '2000-01-01 00:00+00')
        and m.hour >= (select raw_from from rollup_state))
  union all
  select t.*
  from (
    select distinct m.device_id, greatest(m.hour, from_ts) as begins, least(m.hour + interval '1 hour', to_ts) as ends
    from rollup_marks m
    where (devices is null or m.device_id = any(devices))
      and m.hour > from_ts - interval '1 hour' and m.hour < to_ts
      and m.hour >= (select greatest(hours_from, raw_from) from rollup_state)
      and m.hour < (select rolled_to from rollup_state)) as marked
  cross join lateral position_rollups_of(interval '1 hour', marked.device_id, marked.begins, marked.ends) as t
  union all
  select n.*
  from (select greatest(from_ts, rolled_to) as begins from rollup_state where rolled_to < to_ts offset 0) as present
  cross join lateral position_rollups(interval '1 hour', devices, begins, to_ts) as n
  union all
  select o.*
  from (select least(to_ts, hours_from) as ends from rollup_state where hours_from > from_ts offset 0) as past
  cross join lateral position_rollups(interval '1 hour', devices, from_ts, ends) as o
$$;

create view position_minutes as select * from position_minutes_between(null, '-infinity', 'infinity');
create view position_hours as select * from position_hours_between(null, '-infinity', 'infinity');

-- Parts of an entry of attributes, however it is written.
create function rollup_count(entry jsonb) returns bigint language sql immutable parallel safe as $$
  select case jsonb_typeof(entry) when 'number' then 1 else (entry -> 0)::bigint end
$$;
create function rollup_sum(entry jsonb) returns numeric language sql immutable parallel safe as $$
  select case when jsonb_typeof(entry) = 'number' then entry::numeric
    when entry -> 2 is null then (entry -> 0)::numeric * (entry -> 1)::numeric
    else (entry -> 1)::numeric end
$$;
create function rollup_min(entry jsonb) returns numeric language sql immutable parallel safe as $$
  select case when jsonb_typeof(entry) = 'number' then entry::numeric else coalesce(entry -> 2, entry -> 1)::numeric end
$$;
create function rollup_max(entry jsonb) returns numeric language sql immutable parallel safe as $$
  select case when jsonb_typeof(entry) = 'number' then entry::numeric else coalesce(entry -> 3, entry -> 1)::numeric end
$$;
create function rollup_first(entry jsonb) returns numeric language sql immutable parallel safe as $$
  select case when jsonb_typeof(entry) = 'number' then entry::numeric else coalesce(entry -> 4, entry -> 1)::numeric end
$$;
create function rollup_last(entry jsonb) returns numeric language sql immutable parallel safe as $$
  select case when jsonb_typeof(entry) = 'number' then entry::numeric else coalesce(entry -> 5, entry -> 1)::numeric end
$$;

comment on table rollup_state is 'How far the rollups of positions are: one row';
comment on column rollup_state.begins_at is 'Nothing is rolled up before, since processors of the version before may still write';
comment on column rollup_state.mark_before is 'A writer leaves a mark for each record before this';
comment on column rollup_state.rolled_to is 'First hour that is answered from positions, since it is not over or not rolled up yet';
comment on column rollup_state.minutes_from is 'First hour that minute_rollups has; -infinity: all that there ever were';
comment on column rollup_state.hours_from is 'First hour that hour_rollups has; -infinity: all that there ever were';
comment on column rollup_state.raw_from is 'Before this positions may have been dropped: what is stored of such an hour stays as it is, whatever comes late';
comment on table rollup_marks is 'Hours of trackers that got a late record and are to be rolled up again';
comment on column rollup_marks.hour is 'Start of the hour';
comment on table minute_rollups is 'Records of a tracker in one minute, as of the last time that it was rolled up: ask position_minutes_between, or the view position_minutes';
comment on column minute_rollups.bucket is 'Start of the minute';
comment on column minute_rollups.records is 'Records, with or without a position';
comment on column minute_rollups.speed_count is 'Records that have a speed; the other columns are of these alone, null where there are none. Likewise for the other fields';
comment on column minute_rollups.speed_sum is 'km/h; the mean is sum divided by count';
comment on column minute_rollups.speed_first is 'Of the earliest record by (ts, event_id) that has a speed';
comment on column minute_rollups.speed_last is 'Of the latest record by (ts, event_id) that has a speed';
comment on column minute_rollups.latitude_first is 'Place of the earliest record that has coordinates';
comment on column minute_rollups.latitude_last is 'Place of the latest record that has coordinates';
comment on column minute_rollups.attributes is 'Numeric attributes by name, booleans as 0 and 1: [count, sum, min, max, first, last], or [count, value] where all are equal, or the value where there is one. See rollup_count, rollup_sum …';
comment on table hour_rollups is 'Records of a tracker in one hour, as of the last time that it was rolled up: ask position_hours_between, or the view position_hours';
comment on column hour_rollups.bucket is 'Start of the hour';
comment on column hour_rollups.records is 'Records, with or without a position';
comment on column hour_rollups.speed_count is 'Records that have a speed; the other columns are of these alone, null where there are none. Likewise for the other fields';
comment on column hour_rollups.speed_sum is 'km/h; the mean is sum divided by count';
comment on column hour_rollups.speed_first is 'Of the earliest record by (ts, event_id) that has a speed';
comment on column hour_rollups.speed_last is 'Of the latest record by (ts, event_id) that has a speed';
comment on column hour_rollups.latitude_first is 'Place of the earliest record that has coordinates';
comment on column hour_rollups.latitude_last is 'Place of the latest record that has coordinates';
comment on column hour_rollups.attributes is 'Numeric attributes by name, booleans as 0 and 1: [count, sum, min, max, first, last], or [count, value] where all are equal, or the value where there is one. See rollup_count, rollup_sum …';
comment on function position_rollups is 'Records of these trackers (null: of all) with from_ts <= ts < to_ts by tracker and time, from positions';
comment on function position_rollups_of is 'position_rollups of one tracker, for each of several';
comment on function position_minutes_between is 'Minutes of these trackers (null: of all) that start at or after from_ts and before to_ts, both at full minutes';
comment on function position_hours_between is 'Hours of these trackers (null: of all) that start at or after from_ts and before to_ts, both at full hours';
comment on function rollup_count is 'Values in an entry of attributes';
comment on function rollup_sum is 'Sum of an entry of attributes';
comment on function rollup_min is 'Least of an entry of attributes';
comment on function rollup_max is 'Greatest of an entry of attributes';
comment on function rollup_first is 'Value of the earliest record by (ts, event_id)';
comment on function rollup_last is 'Value of the latest record by (ts, event_id)';
comment on view position_minutes is 'Every minute of every tracker; position_minutes_between is quicker for a span of time';
comment on view position_hours is 'Every hour of every tracker; position_hours_between is quicker for a span of time';
