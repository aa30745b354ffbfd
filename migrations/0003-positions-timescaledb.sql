-- requires: timescaledb
-- History as a hypertable. The columns and the key are those of 0004-positions-partitions.sql.

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
);

-- A day of 10,000 trackers with one record a minute is about 14 million rows: a chunk whose indexes fit in memory.
select create_hypertable('positions', 'ts', chunk_time_interval => interval '1 day', create_default_indexes => false);

create index positions_ts on positions (ts desc);
