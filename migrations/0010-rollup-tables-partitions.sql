-- requires: partitions
-- Rollups of positions as tables partitioned by month and by year, made by core before it writes. The columns and the
-- keys are those of 0009-rollup-tables-timescaledb.sql.

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
) partition by range (bucket);

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
) partition by range (bucket);

-- Take what is older than any partition, such as the records of a tracker whose clock says 1970.
create table minute_rollups_default partition of minute_rollups default;
create table hour_rollups_default partition of hour_rollups default;

comment on table minute_rollups_default is 'Minutes that have no partition';
comment on table hour_rollups_default is 'Hours that have no partition';
