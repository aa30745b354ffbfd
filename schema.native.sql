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
