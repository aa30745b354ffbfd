-- requires: partitions
-- History as a table partitioned by day. The columns and the key are those of 0003-positions-timescaledb.sql.

-- No foreign key to devices: it would cost a look-up and a row lock for every record written, and the writer takes its
-- ids from devices in the same transaction anyhow.
create table positions (
  device_id bigint not null,
  ts timestamptz not null,
  event_id integer not null default 0,
  received_at timestamptz not null,
  latitude double precision,
  longitude double precision,
  altitude real,
  course real,
  speed real,
  hdop real,
  satellites smallint,
  valid boolean not null,
  priority smallint not null default 0,
  attributes jsonb not null default '{}',
  constraint positions_key unique (device_id, ts, event_id)
) partition by range (ts);

create index positions_ts on positions (ts desc);

-- Takes what no daily partition covers, such as the records of a tracker whose clock says 1970 or 2099: no time that a
-- tracker may send can fail a batch, and none can make partitions.
create table positions_default partition of positions default;

comment on table positions_default is 'Records of days that have no partition';
