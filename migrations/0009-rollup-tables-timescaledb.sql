-- requires: timescaledb
-- Rollups of positions as hypertables. The columns and the keys are those of 0010-rollup-tables-partitions.sql. No
-- continuous aggregates: see docs/architecture.md, Rollups.

create table minute_rollups (
  device_id bigint not null,
  bucket timestamptz not null,
  records integer not null,
  speed_count integer not null, speed_sum double precision, speed_min real, speed_max real, speed_first real, speed_last real,
  altitude_count integer not null, altitude_sum double precision, altitude_min real, altitude_max real, altitude_first real, altitude_last real,
  hdop_count integer not null, hdop_sum double precision, hdop_min real, hdop_max real, hdop_first real, hdop_last real,
  satellites_count integer not null, satellites_sum double precision, satellites_min smallint, satellites_max smallint, satellites_first smallint, satellites_last smallint,
  latitude_first double precision, longitude_first double precision,
  latitude_last double precision, longitude_last double precision,
  attributes jsonb not null,
  constraint minute_rollups_key primary key (device_id, bucket)
);

create table hour_rollups (
  device_id bigint not null,
  bucket timestamptz not null,
  records integer not null,
  speed_count integer not null, speed_sum double precision, speed_min real, speed_max real, speed_first real, speed_last real,
  altitude_count integer not null, altitude_sum double precision, altitude_min real, altitude_max real, altitude_first real, altitude_last real,
  hdop_count integer not null, hdop_sum double precision, hdop_min real, hdop_max real, hdop_first real, hdop_last real,
  satellites_count integer not null, satellites_sum double precision, satellites_min smallint, satellites_max smallint, satellites_first smallint, satellites_last smallint,
  latitude_first double precision, longitude_first double precision,
  latitude_last double precision, longitude_last double precision,
  attributes jsonb not null,
  constraint hour_rollups_key primary key (device_id, bucket)
);

-- A day of 1,000 trackers that never stop is 1.4 million minutes and 24,000 hours.
select create_hypertable('minute_rollups', 'bucket', chunk_time_interval => interval '7 days', create_default_indexes => false);
select create_hypertable('hour_rollups', 'bucket', chunk_time_interval => interval '90 days', create_default_indexes => false);
