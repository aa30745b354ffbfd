-- What a question about some days has to plan for: those days, however many there are in all. Where the bounds of a part
-- come from rollup_state or rollup_marks, the planner does not know them, and made a plan for every chunk or partition
-- three times over. The bounds of the question, which it does know, are conditions of every part now.
-- A week of one tracker by hour, with 30 chunks: planned in 5 ms in the place of 11, executed in 1 ms in the place of 4.

drop function position_rollups_of(interval, bigint, timestamptz, timestamptz);
drop function position_rollups(interval, bigint[], timestamptz, timestamptz);

-- As before, but for within_from and within_to: bounds that hold besides, and that are constants where from_ts and to_ts
-- are not.
create function position_rollups(width interval, devices bigint[], from_ts timestamptz, to_ts timestamptz,
  within_from timestamptz default '-infinity', within_to timestamptz default 'infinity') returns table (
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
      where (devices is null or r.device_id = any(devices)) and r.ts >= from_ts and r.ts < to_ts and r.ts >= within_from and r.ts < within_to
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
        where (devices is null or r.device_id = any(devices)) and r.ts >= from_ts and r.ts < to_ts and r.ts >= within_from and r.ts < within_to and c.value is not null
        order by 1, 2, 3, r.ts, r.event_id) as p
      group by 1, 2, 3) as v
    group by 1, 2) as a using (device_id, bucket)
$$;

-- With the bound that keeps the condition on the tracker inside, where an index serves it.
create function position_rollups_of(width interval, device bigint, from_ts timestamptz, to_ts timestamptz,
  within_from timestamptz default '-infinity', within_to timestamptz default 'infinity') returns table (
  device_id bigint, bucket timestamptz, records integer,
  speed_count integer, speed_sum double precision, speed_min real, speed_max real, speed_first real, speed_last real,
  altitude_count integer, altitude_sum double precision, altitude_min real, altitude_max real, altitude_first real, altitude_last real,
  hdop_count integer, hdop_sum double precision, hdop_min real, hdop_max real, hdop_first real, hdop_last real,
  satellites_count integer, satellites_sum double precision, satellites_min smallint, satellites_max smallint, satellites_first smallint, satellites_last smallint,
  latitude_first double precision, longitude_first double precision,
  latitude_last double precision, longitude_last double precision,
  attributes jsonb
) language sql stable parallel safe as $$
  select r.* from position_rollups(width, null, from_ts, to_ts, within_from, within_to) as r where r.device_id = device offset 0
$$;

create or replace function position_minutes_between(devices bigint[], from_ts timestamptz, to_ts timestamptz) returns table (
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
    and s.bucket >= from_ts and s.bucket < to_ts
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
  cross join lateral position_rollups_of(interval '1 minute', marked.device_id, marked.begins, marked.ends, from_ts, to_ts) as t
  union all
  select n.*
  from (select greatest(from_ts, rolled_to) as begins from rollup_state where rolled_to < to_ts offset 0) as present
  cross join lateral position_rollups(interval '1 minute', devices, begins, to_ts, from_ts, to_ts) as n
  union all
  select o.*
  from (select least(to_ts, minutes_from) as ends from rollup_state where minutes_from > from_ts offset 0) as past
  cross join lateral position_rollups(interval '1 minute', devices, from_ts, ends, from_ts, to_ts) as o
$$;

create or replace function position_hours_between(devices bigint[], from_ts timestamptz, to_ts timestamptz) returns table (
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
    and s.bucket >= from_ts and s.bucket < to_ts
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
  cross join lateral position_rollups_of(interval '1 hour', marked.device_id, marked.begins, marked.ends, from_ts, to_ts) as t
  union all
  select n.*
  from (select greatest(from_ts, rolled_to) as begins from rollup_state where rolled_to < to_ts offset 0) as present
  cross join lateral position_rollups(interval '1 hour', devices, begins, to_ts, from_ts, to_ts) as n
  union all
  select o.*
  from (select least(to_ts, hours_from) as ends from rollup_state where hours_from > from_ts offset 0) as past
  cross join lateral position_rollups(interval '1 hour', devices, from_ts, ends, from_ts, to_ts) as o
$$;

comment on function position_rollups is 'Records of these trackers (null: of all) with from_ts <= ts < to_ts by tracker and time, from positions';
comment on function position_rollups_of is 'position_rollups of one tracker, for each of several';
