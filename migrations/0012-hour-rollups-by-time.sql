-- Totals of a whole fleet read a month of hours, of which they need a fiftieth: an index that has it all.

create index hour_rollups_bucket on hour_rollups (bucket) include (device_id, records, speed_count, speed_sum, speed_max);
