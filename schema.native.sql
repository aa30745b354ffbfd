-- The schema with POSITIONS_STORAGE=partitions and default settings, for readers; migrations/ makes it.
-- Written by scripts/dump-schema.ts and compared in the tests.

create type uuid_range as range (subtype = uuid);
comment on type uuid_range is 'Ranges of uuid, for the exclusion of overlapping memberships';

CREATE OR REPLACE FUNCTION announce_account_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_notify('odograph_accounts', '');
  return null;
end
$function$
;
comment on function announce_account_change is 'Tells the processors to publish keys and users again';

CREATE OR REPLACE FUNCTION announce_group_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_notify('odograph_groups', '');
  return null;
end
$function$
;
comment on function announce_group_change is 'Tells the live servers to read the members of groups again';

CREATE OR REPLACE FUNCTION open_hours(devices bigint[], from_ts timestamp with time zone, to_ts timestamp with time zone)
 RETURNS SETOF hour_rollups
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
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
$function$
;
comment on function open_hours is 'Hours from rollup_state.rolled_to on, of open_minutes';

CREATE OR REPLACE FUNCTION open_minutes(devices bigint[], from_ts timestamp with time zone, to_ts timestamp with time zone)
 RETURNS SETOF minute_rollups
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
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
$function$
;
comment on function open_minutes is 'Minutes from rollup_state.rolled_to on: from minute_rollups, and the last ones from positions';

CREATE OR REPLACE FUNCTION position_hours_between(devices bigint[], from_ts timestamp with time zone, to_ts timestamp with time zone)
 RETURNS SETOF hour_rollups
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
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
$function$
;
comment on function position_hours_between is 'Hours of these trackers (null: of all) that start at or after from_ts and before to_ts, both at full hours';

CREATE OR REPLACE FUNCTION position_minutes_between(devices bigint[], from_ts timestamp with time zone, to_ts timestamp with time zone)
 RETURNS SETOF minute_rollups
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
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
$function$
;
comment on function position_minutes_between is 'Minutes of these trackers (null: of all) that start at or after from_ts and before to_ts, both at full minutes';

CREATE OR REPLACE FUNCTION position_rollups(width interval, devices bigint[], from_ts timestamp with time zone, to_ts timestamp with time zone, within_from timestamp with time zone DEFAULT '-infinity'::timestamp with time zone, within_to timestamp with time zone DEFAULT 'infinity'::timestamp with time zone)
 RETURNS TABLE(device_id bigint, bucket timestamp with time zone, records integer, speed_count integer, speed_sum double precision, speed_min real, speed_max real, speed_first real, speed_last real, altitude_count integer, altitude_sum double precision, altitude_min real, altitude_max real, altitude_first real, altitude_last real, hdop_count integer, hdop_sum double precision, hdop_min real, hdop_max real, hdop_first real, hdop_last real, satellites_count integer, satellites_sum double precision, satellites_min smallint, satellites_max smallint, satellites_first smallint, satellites_last smallint, latitude_first double precision, longitude_first double precision, latitude_last double precision, longitude_last double precision, attributes jsonb)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
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
$function$
;
comment on function position_rollups is 'Records of these trackers (null: of all) with from_ts <= ts < to_ts by tracker and time, from positions';

CREATE OR REPLACE FUNCTION position_rollups_of(width interval, device bigint, from_ts timestamp with time zone, to_ts timestamp with time zone, within_from timestamp with time zone DEFAULT '-infinity'::timestamp with time zone, within_to timestamp with time zone DEFAULT 'infinity'::timestamp with time zone)
 RETURNS TABLE(device_id bigint, bucket timestamp with time zone, records integer, speed_count integer, speed_sum double precision, speed_min real, speed_max real, speed_first real, speed_last real, altitude_count integer, altitude_sum double precision, altitude_min real, altitude_max real, altitude_first real, altitude_last real, hdop_count integer, hdop_sum double precision, hdop_min real, hdop_max real, hdop_first real, hdop_last real, satellites_count integer, satellites_sum double precision, satellites_min smallint, satellites_max smallint, satellites_first smallint, satellites_last smallint, latitude_first double precision, longitude_first double precision, latitude_last double precision, longitude_last double precision, attributes jsonb)
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select r.* from position_rollups(width, null, from_ts, to_ts, within_from, within_to) as r where r.device_id = device offset 0
$function$
;
comment on function position_rollups_of is 'position_rollups of one tracker, for each of several';

CREATE OR REPLACE FUNCTION rollup_count(entry jsonb)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case jsonb_typeof(entry) when 'number' then 1 else (entry -> 0)::bigint end
$function$
;
comment on function rollup_count is 'Values in an entry of attributes';

CREATE OR REPLACE FUNCTION rollup_first(entry jsonb)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case when jsonb_typeof(entry) = 'number' then entry::numeric else coalesce(entry -> 4, entry -> 1)::numeric end
$function$
;
comment on function rollup_first is 'Value of the earliest record by (ts, event_id)';

CREATE OR REPLACE FUNCTION rollup_last(entry jsonb)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case when jsonb_typeof(entry) = 'number' then entry::numeric else coalesce(entry -> 5, entry -> 1)::numeric end
$function$
;
comment on function rollup_last is 'Value of the latest record by (ts, event_id)';

CREATE OR REPLACE FUNCTION rollup_max(entry jsonb)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case when jsonb_typeof(entry) = 'number' then entry::numeric else coalesce(entry -> 3, entry -> 1)::numeric end
$function$
;
comment on function rollup_max is 'Greatest of an entry of attributes';

CREATE OR REPLACE FUNCTION rollup_min(entry jsonb)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case when jsonb_typeof(entry) = 'number' then entry::numeric else coalesce(entry -> 2, entry -> 1)::numeric end
$function$
;
comment on function rollup_min is 'Least of an entry of attributes';

CREATE OR REPLACE FUNCTION rollup_sum(entry jsonb)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case when jsonb_typeof(entry) = 'number' then entry::numeric
    when entry -> 2 is null then (entry -> 0)::numeric * (entry -> 1)::numeric
    else (entry -> 1)::numeric end
$function$
;
comment on function rollup_sum is 'Sum of an entry of attributes';

CREATE OR REPLACE FUNCTION unstored_rollups(width interval, devices bigint[], from_ts timestamp with time zone, to_ts timestamp with time zone)
 RETURNS SETOF minute_rollups
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
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
$function$
;
comment on function unstored_rollups is 'Minutes or hours before rollup_state.rolled_to that positions answer';

create table api_keys (
  id text not null,
  name text not null,
  secret_hash bytea not null,
  scopes text[] not null,
  all_devices boolean not null default false,
  devices text[] not null default '{}'::text[],
  groups uuid[] not null default '{}'::uuid[],
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_admin_reaches_all CHECK ((all_devices OR (NOT ('admin'::text = ANY (scopes))))),
  constraint api_keys_grants CHECK (((NOT all_devices) OR ((devices = '{}'::text[]) AND (groups = '{}'::uuid[])))),
  constraint api_keys_id_form CHECK ((id ~ '^[a-z0-9]{12}$'::text)),
  constraint api_keys_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 128))),
  constraint api_keys_scopes_known CHECK (((cardinality(scopes) > 0) AND (scopes <@ ARRAY['read'::text, 'write'::text, 'admin'::text]))),
  constraint api_keys_secret_hash_length CHECK ((octet_length(secret_hash) = 32))
);
CREATE TRIGGER api_keys_announce AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON api_keys FOR EACH STATEMENT EXECUTE FUNCTION announce_account_change();
comment on table api_keys is 'Credentials of programs; npm run keys';
comment on column api_keys.id is 'The part of the key that may be shown: odo_<id>_<secret>';
comment on column api_keys.name is 'For people';
comment on column api_keys.secret_hash is 'SHA-256 of the whole key, whose secret is 256 random bits; the key itself is kept nowhere';
comment on column api_keys.scopes is 'read, write, admin';
comment on column api_keys.all_devices is 'Reaches every device; false: those granted, and no others';
comment on column api_keys.devices is 'Unique ids of granted devices, whether they are registered yet or not';
comment on column api_keys.groups is 'Granted groups: their members at the time of a request';
comment on column api_keys.expires_at is 'From this instant on it is refused; null: it does not expire';
comment on column api_keys.revoked_at is 'It was revoked then; null: it was not';

create table device_state (
  device_id bigint not null,
  ts timestamp with time zone not null,
  event_id integer not null,
  received_at timestamp with time zone not null,
  valid boolean not null,
  priority smallint not null,
  attributes jsonb not null,
  fix_ts timestamp with time zone,
  fix_event_id integer,
  latitude double precision,
  longitude double precision,
  altitude real,
  course real,
  speed real,
  hdop real,
  satellites smallint,
  records bigint not null default 0,
  first_ts timestamp with time zone,
  last_received_at timestamp with time zone,
  constraint device_state_pkey PRIMARY KEY (device_id),
  constraint device_state_device_id_fkey FOREIGN KEY (device_id) REFERENCES devices(id) ON DELETE CASCADE
) with (fillfactor=70);
comment on table device_state is 'Newest record and last known place of each tracker; newest is the greatest (ts, event_id), whenever it came in';
comment on column device_state.ts is 'Time of the newest record, by the tracker''s clock';
comment on column device_state.event_id is 'event_id of the newest record';
comment on column device_state.received_at is 'When ingest read the newest record';
comment on column device_state.valid is 'The newest record had a fix';
comment on column device_state.priority is 'Priority of the newest record';
comment on column device_state.attributes is 'Attributes of the newest record';
comment on column device_state.fix_ts is 'Time of the newest record that has coordinates; null: none ever had. The place below is its';
comment on column device_state.fix_event_id is 'event_id of the newest record that has coordinates';
comment on column device_state.latitude is 'Degrees, WGS84, north positive';
comment on column device_state.longitude is 'Degrees, WGS84, east positive';
comment on column device_state.altitude is 'Metres above sea level';
comment on column device_state.course is 'Degrees clockwise from north';
comment on column device_state.speed is 'km/h';
comment on column device_state.hdop is 'Horizontal dilution of precision, no unit';
comment on column device_state.satellites is 'Satellites in use';
comment on column device_state.records is 'Rows stored in positions for this tracker, those since dropped by retention included';
comment on column device_state.first_ts is 'Time of the oldest record stored';
comment on column device_state.last_received_at is 'When ingest read the record that came in last, be it late or not';

create table devices (
  id bigint not null generated always as identity,
  unique_id text not null,
  name text,
  protocol text,
  model text,
  enabled boolean not null default true,
  created_at timestamp with time zone not null default now(),
  constraint devices_pkey PRIMARY KEY (id),
  constraint devices_unique_id_key UNIQUE (unique_id),
  constraint devices_unique_id_length CHECK (((char_length(unique_id) >= 1) AND (char_length(unique_id) <= 128)))
);
comment on table devices is 'Trackers, registered by an operator or on their first record';
comment on column devices.id is 'Stored in place of the identifier wherever a tracker is referred to';
comment on column devices.unique_id is 'What the tracker calls itself: its IMEI, or the identifier of its protocol; 1 to 128 characters';
comment on column devices.name is 'For people';
comment on column devices.protocol is 'Protocol of the first record, e.g. teltonika';
comment on column devices.model is 'Model of the tracker, e.g. FMB920';
comment on column devices.enabled is 'False: under INGEST_UNKNOWN_DEVICES=reject the tracker is not let in';
comment on column devices.created_at is 'When it was registered';

create table group_devices (
  group_id uuid not null,
  device_id bigint not null,
  valid_from timestamp with time zone not null default now(),
  valid_to timestamp with time zone,
  id bigint not null generated by default as identity,
  constraint group_devices_pkey PRIMARY KEY (id),
  constraint group_devices_device_id_fkey FOREIGN KEY (device_id) REFERENCES devices(id) ON DELETE CASCADE,
  constraint group_devices_from UNIQUE (group_id, device_id, valid_from),
  constraint group_devices_group_id_fkey FOREIGN KEY (group_id) REFERENCES groups(id) ON DELETE CASCADE,
  constraint group_devices_no_overlap EXCLUDE USING gist (uuid_range(group_id, group_id, '[]'::text) WITH &&, int8range(device_id, device_id, '[]'::text) WITH &&, tstzrange(valid_from, valid_to) WITH &&),
  constraint group_devices_period CHECK ((valid_to > valid_from))
);
CREATE INDEX group_devices_device_id ON group_devices USING btree (device_id);
CREATE TRIGGER group_devices_announce AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON group_devices FOR EACH STATEMENT EXECUTE FUNCTION announce_group_change();
comment on table group_devices is 'Which tracker belongs to which group and when; the periods of one membership do not overlap';
comment on column group_devices.valid_from is 'First instant of the membership';
comment on column group_devices.valid_to is 'First instant after the membership; null: it goes on';
comment on column group_devices.id is 'For tools that need a key of one column';

create table groups (
  id uuid not null default gen_random_uuid(),
  name text not null,
  kind text not null default 'fleet'::text,
  constraint groups_pkey PRIMARY KEY (id)
);
CREATE TRIGGER groups_announce AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON groups FOR EACH STATEMENT EXECUTE FUNCTION announce_group_change();
comment on table groups is 'Named sets of trackers: a fleet, the participants of an event';
comment on column groups.name is 'For people';
comment on column groups.kind is 'fleet, event, or a word of the operator''s own';

create table hour_rollups (
  device_id bigint not null,
  bucket timestamp with time zone not null,
  records integer not null,
  speed_count integer not null,
  speed_sum double precision,
  speed_min real,
  speed_max real,
  speed_first real,
  speed_last real,
  altitude_count integer not null,
  altitude_sum double precision,
  altitude_min real,
  altitude_max real,
  altitude_first real,
  altitude_last real,
  hdop_count integer not null,
  hdop_sum double precision,
  hdop_min real,
  hdop_max real,
  hdop_first real,
  hdop_last real,
  satellites_count integer not null,
  satellites_sum double precision,
  satellites_min smallint,
  satellites_max smallint,
  satellites_first smallint,
  satellites_last smallint,
  latitude_first double precision,
  longitude_first double precision,
  latitude_last double precision,
  longitude_last double precision,
  attributes jsonb not null,
  constraint hour_rollups_key PRIMARY KEY (device_id, bucket)
) partition by range (bucket);
CREATE INDEX hour_rollups_bucket ON hour_rollups USING btree (bucket) INCLUDE (device_id, records, speed_count, speed_sum, speed_max);
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
create table hour_rollups_default partition of hour_rollups default;
comment on table hour_rollups_default is 'Hours that have no partition';

create table minute_rollups (
  device_id bigint not null,
  bucket timestamp with time zone not null,
  records integer not null,
  speed_count integer not null,
  speed_sum double precision,
  speed_min real,
  speed_max real,
  speed_first real,
  speed_last real,
  altitude_count integer not null,
  altitude_sum double precision,
  altitude_min real,
  altitude_max real,
  altitude_first real,
  altitude_last real,
  hdop_count integer not null,
  hdop_sum double precision,
  hdop_min real,
  hdop_max real,
  hdop_first real,
  hdop_last real,
  satellites_count integer not null,
  satellites_sum double precision,
  satellites_min smallint,
  satellites_max smallint,
  satellites_first smallint,
  satellites_last smallint,
  latitude_first double precision,
  longitude_first double precision,
  latitude_last double precision,
  longitude_last double precision,
  attributes jsonb not null,
  constraint minute_rollups_key PRIMARY KEY (device_id, bucket)
) partition by range (bucket);
CREATE INDEX minute_rollups_bucket ON minute_rollups USING btree (bucket);
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
create table minute_rollups_default partition of minute_rollups default;
comment on table minute_rollups_default is 'Minutes that have no partition';

create table positions (
  device_id bigint not null,
  ts timestamp with time zone not null,
  event_id integer not null default 0,
  received_at timestamp with time zone not null,
  latitude double precision,
  longitude double precision,
  altitude real,
  course real,
  speed real,
  hdop real,
  satellites smallint,
  valid boolean not null,
  priority smallint not null default 0,
  attributes jsonb not null default '{}'::jsonb,
  constraint positions_key UNIQUE (device_id, ts, event_id)
) partition by range (ts);
CREATE INDEX positions_ts ON positions USING btree (ts DESC);
comment on table positions is 'History: one row per record of a tracker, exactly once by (device_id, ts, event_id)';
comment on column positions.device_id is 'devices.id';
comment on column positions.ts is 'Time of the record by the tracker''s clock';
comment on column positions.event_id is 'I/O element that caused the record; 0: none. In the key, since a tracker may report an event and its periodic record for one instant';
comment on column positions.received_at is 'When ingest read the frame';
comment on column positions.latitude is 'Degrees, WGS84, north positive; null: no fix';
comment on column positions.longitude is 'Degrees, WGS84, east positive; null: no fix';
comment on column positions.altitude is 'Metres above sea level';
comment on column positions.course is 'Degrees clockwise from north';
comment on column positions.speed is 'km/h';
comment on column positions.hdop is 'Horizontal dilution of precision, no unit';
comment on column positions.satellites is 'Satellites in use';
comment on column positions.valid is 'The tracker says that it had a fix';
comment on column positions.priority is 'Priority that the tracker gave; 0: low, or none in its protocol';
comment on column positions.attributes is 'Everything else by name, SI units after scaling; {"__bigint": …} and {"__buffer_b64": …} stand for integers beyond ±(2^53−1) and for byte strings';
create table positions_default partition of positions default;
comment on table positions_default is 'Records of days that have no partition';

create table rollup_marks (
  id bigint not null generated always as identity,
  device_id bigint not null,
  hour timestamp with time zone not null,
  minute timestamp with time zone,
  constraint rollup_marks_pkey PRIMARY KEY (id)
);
CREATE INDEX rollup_marks_hour ON rollup_marks USING btree (device_id, hour);
comment on table rollup_marks is 'Hours and minutes of trackers that got a late record and are to be rolled up again';
comment on column rollup_marks.hour is 'Start of the hour';
comment on column rollup_marks.minute is 'Start of the minute that was touched, in an hour from rolled_to on; null: the whole hour';

create table rollup_state (
  id boolean not null default true,
  begins_at timestamp with time zone not null,
  mark_before timestamp with time zone not null default '-infinity'::timestamp with time zone,
  rolled_to timestamp with time zone not null default '-infinity'::timestamp with time zone,
  minutes_from timestamp with time zone not null default '-infinity'::timestamp with time zone,
  hours_from timestamp with time zone not null default '-infinity'::timestamp with time zone,
  raw_from timestamp with time zone not null default '-infinity'::timestamp with time zone,
  minutes_to timestamp with time zone not null default '-infinity'::timestamp with time zone,
  constraint rollup_state_pkey PRIMARY KEY (id),
  constraint rollup_state_id_check CHECK (id),
  constraint rollup_state_minutes_to CHECK ((minutes_to >= rolled_to))
);
comment on table rollup_state is 'How far the rollups of positions are: one row';
comment on column rollup_state.begins_at is 'Nothing is rolled up before, since processors of the version before may still write';
comment on column rollup_state.mark_before is 'A writer leaves a mark for each record before this, a full minute';
comment on column rollup_state.rolled_to is 'First hour that has no row in hour_rollups, since it is not over or not rolled up yet';
comment on column rollup_state.minutes_from is 'First hour that minute_rollups has; -infinity: all that there ever were';
comment on column rollup_state.hours_from is 'First hour that hour_rollups has; -infinity: all that there ever were';
comment on column rollup_state.raw_from is 'Before this positions may have been dropped: what is stored of such an hour stays as it is, whatever comes late';
comment on column rollup_state.minutes_to is 'First minute that is answered from positions, since it is not over or not rolled up yet';

create table schema_migrations (
  name text not null,
  checksum text not null,
  applied_at timestamp with time zone not null default now(),
  duration_ms integer not null,
  constraint schema_migrations_pkey PRIMARY KEY (name)
);
comment on table schema_migrations is 'Files of migrations/ that were applied to this database';
comment on column schema_migrations.name is 'File name';
comment on column schema_migrations.checksum is 'SHA-256 of the file, in hex';
comment on column schema_migrations.duration_ms is 'How long it took, milliseconds';

create table users (
  id bigint not null generated by default as identity,
  name text not null,
  password_hash text not null,
  role text not null,
  all_devices boolean not null default false,
  devices text[] not null default '{}'::text[],
  groups uuid[] not null default '{}'::uuid[],
  created_at timestamp with time zone not null default now(),
  constraint users_pkey PRIMARY KEY (id),
  constraint users_admin_reaches_all CHECK ((all_devices OR (role <> 'admin'::text))),
  constraint users_grants CHECK (((NOT all_devices) OR ((devices = '{}'::text[]) AND (groups = '{}'::uuid[])))),
  constraint users_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 128))),
  constraint users_role_known CHECK ((role = ANY (ARRAY['viewer'::text, 'editor'::text, 'admin'::text])))
);
CREATE UNIQUE INDEX users_name ON users USING btree (lower(name));
CREATE TRIGGER users_announce AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON users FOR EACH STATEMENT EXECUTE FUNCTION announce_account_change();
comment on table users is 'People who sign in with a password; npm run users';
comment on column users.name is 'What they sign in with; upper and lower case are the same';
comment on column users.password_hash is 'scrypt$<N>$<r>$<p>$<salt>$<hash>, base64';
comment on column users.role is 'viewer reads, editor reads and writes, admin does everything';
comment on column users.all_devices is 'Reaches every device; false: those granted, and no others';
comment on column users.devices is 'Unique ids of granted devices, whether they are registered yet or not';
comment on column users.groups is 'Granted groups: their members at the time of a request';

create view position_hours as
 SELECT device_id,
    bucket,
    records,
    speed_count,
    speed_sum,
    speed_min,
    speed_max,
    speed_first,
    speed_last,
    altitude_count,
    altitude_sum,
    altitude_min,
    altitude_max,
    altitude_first,
    altitude_last,
    hdop_count,
    hdop_sum,
    hdop_min,
    hdop_max,
    hdop_first,
    hdop_last,
    satellites_count,
    satellites_sum,
    satellites_min,
    satellites_max,
    satellites_first,
    satellites_last,
    latitude_first,
    longitude_first,
    latitude_last,
    longitude_last,
    attributes
   FROM position_hours_between(NULL::bigint[], '-infinity'::timestamp with time zone, 'infinity'::timestamp with time zone) position_hours_between(device_id, bucket, records, speed_count, speed_sum, speed_min, speed_max, speed_first, speed_last, altitude_count, altitude_sum, altitude_min, altitude_max, altitude_first, altitude_last, hdop_count, hdop_sum, hdop_min, hdop_max, hdop_first, hdop_last, satellites_count, satellites_sum, satellites_min, satellites_max, satellites_first, satellites_last, latitude_first, longitude_first, latitude_last, longitude_last, attributes);
comment on view position_hours is 'Every hour of every tracker; position_hours_between is quicker for a span of time';

create view position_minutes as
 SELECT device_id,
    bucket,
    records,
    speed_count,
    speed_sum,
    speed_min,
    speed_max,
    speed_first,
    speed_last,
    altitude_count,
    altitude_sum,
    altitude_min,
    altitude_max,
    altitude_first,
    altitude_last,
    hdop_count,
    hdop_sum,
    hdop_min,
    hdop_max,
    hdop_first,
    hdop_last,
    satellites_count,
    satellites_sum,
    satellites_min,
    satellites_max,
    satellites_first,
    satellites_last,
    latitude_first,
    longitude_first,
    latitude_last,
    longitude_last,
    attributes
   FROM position_minutes_between(NULL::bigint[], '-infinity'::timestamp with time zone, 'infinity'::timestamp with time zone) position_minutes_between(device_id, bucket, records, speed_count, speed_sum, speed_min, speed_max, speed_first, speed_last, altitude_count, altitude_sum, altitude_min, altitude_max, altitude_first, altitude_last, hdop_count, hdop_sum, hdop_min, hdop_max, hdop_first, hdop_last, satellites_count, satellites_sum, satellites_min, satellites_max, satellites_first, satellites_last, latitude_first, longitude_first, latitude_last, longitude_last, attributes);
comment on view position_minutes is 'Every minute of every tracker; position_minutes_between is quicker for a span of time';
