-- Trackers: the identifier that a tracker sends, and the number under which everything about it is stored.

create table devices (
  id bigint generated always as identity primary key,
  unique_id text not null unique,
  name text,
  protocol text,
  model text,
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  constraint devices_unique_id_length check (char_length(unique_id) between 1 and 128)
);

comment on table devices is 'Trackers, registered by an operator or on their first record';
comment on column devices.id is 'Stored in place of the identifier wherever a tracker is referred to';
comment on column devices.unique_id is 'What the tracker calls itself: its IMEI, or the identifier of its protocol; 1 to 128 characters';
comment on column devices.name is 'For people';
comment on column devices.protocol is 'Protocol of the first record, e.g. teltonika';
comment on column devices.model is 'Model of the tracker, e.g. FMB920';
comment on column devices.enabled is 'False: under INGEST_UNKNOWN_DEVICES=reject the tracker is not let in';
comment on column devices.created_at is 'When it was registered';
