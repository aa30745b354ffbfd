-- What the columns of positions mean, in both kinds of storage.

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
