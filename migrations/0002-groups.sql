-- Groups of trackers, with the time during which a tracker belongs to one.

create table groups (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  kind text not null default 'fleet'
);

comment on table groups is 'Named sets of trackers: a fleet, the participants of an event';
comment on column groups.name is 'For people';
comment on column groups.kind is 'fleet, event, or a word of the operator''s own';

-- An exclusion constraint over plain columns needs btree_gist, which managed servers may not offer; over ranges it needs
-- no extension. So the two ids are compared as ranges of one value.
create type uuid_range as range (subtype = uuid);

create table group_devices (
  group_id uuid not null references groups on delete cascade,
  device_id bigint not null references devices on delete cascade,
  valid_from timestamptz not null default now(),
  valid_to timestamptz,
  primary key (group_id, device_id, valid_from),
  constraint group_devices_period check (valid_to > valid_from),
  constraint group_devices_no_overlap exclude using gist (
    uuid_range(group_id, group_id, '[]') with &&,
    int8range(device_id, device_id, '[]') with &&,
    tstzrange(valid_from, valid_to) with &&
  )
);

create index group_devices_device_id on group_devices (device_id);

comment on table group_devices is 'Which tracker belongs to which group and when; the periods of one membership do not overlap';
comment on column group_devices.valid_from is 'First instant of the membership';
comment on column group_devices.valid_to is 'First instant after the membership; null: it goes on';
comment on type uuid_range is 'Ranges of uuid, for the exclusion of overlapping memberships';
