-- The newest state per tracker, so that nobody searches the history for it.

-- Every batch updates the rows of its trackers. No column that changes is indexed and a third of each page is left free,
-- so that the updates stay within their page (HOT) and leave nothing in the index.
create table device_state (
  device_id bigint primary key references devices on delete cascade,
  ts timestamptz not null,
  event_id integer not null,
  received_at timestamptz not null,
  valid boolean not null,
  priority smallint not null,
  attributes jsonb not null,
  fix_ts timestamptz,
  fix_event_id integer,
  latitude double precision,
  longitude double precision,
  altitude real,
  course real,
  speed real,
  hdop real,
  satellites smallint,
  records bigint not null default 0,
  first_ts timestamptz,
  last_received_at timestamptz
) with (fillfactor = 70);

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
