/**
 * The newest state of each device, written in the same transaction as its records, so that the two never disagree.
 * Newest wins by `(ts, event_id)`: a late record is counted and changes nothing else. The place kept is that of the
 * newest record with coordinates, which a newer record without a fix does not wipe.
 */
import type { PoolClient } from 'pg';
import type { PositionRow } from './copy-rows.ts';

/** Rows inserted per device id: duplicates are not counted. */
export type InsertedByDevice = ReadonlyMap<number, { readonly records: number; readonly firstTs: number }>;

const NEWEST_COLUMNS = ['ts', 'event_id', 'received_at', 'valid', 'priority', 'attributes'];
const PLACE_COLUMNS = ['fix_ts', 'fix_event_id', 'latitude', 'longitude', 'altitude', 'course', 'speed', 'hdop', 'satellites'];

const IS_NEWER = '(excluded.ts, excluded.event_id) > (s.ts, s.event_id)';
const PLACE_IS_NEWER =
  'excluded.fix_ts is not null and (s.fix_ts is null or (excluded.fix_ts, excluded.fix_event_id) > (s.fix_ts, s.fix_event_id))';

function pick(columns: readonly string[], condition: string): string {
  return columns.map((column) => `${column} = case when ${condition} then excluded.${column} else s.${column} end`).join(',\n    ');
}

const COLUMNS = [...NEWEST_COLUMNS, ...PLACE_COLUMNS];

/** In the order of ids, so that two writers that update the same devices do not deadlock. */
const UPSERT = `
  insert into device_state as s (device_id, ${COLUMNS.join(', ')}, records, first_ts, last_received_at)
  select device_id, to_timestamp(ts / 1000.0), event_id, to_timestamp(received_at / 1000.0), valid, priority, attributes,
    to_timestamp(fix_ts / 1000.0), fix_event_id, latitude, longitude, altitude, course, speed, hdop, satellites,
    records, to_timestamp(first_ts / 1000.0), to_timestamp(last_received_at / 1000.0)
  from json_to_recordset($1::json) as new (
    device_id bigint, ts float8, event_id integer, received_at float8, valid boolean, priority smallint, attributes jsonb,
    fix_ts float8, fix_event_id integer, latitude float8, longitude float8, altitude real, course real, speed real,
    hdop real, satellites smallint, records bigint, first_ts float8, last_received_at float8)
  order by device_id
  on conflict (device_id) do update set
    ${pick(NEWEST_COLUMNS, IS_NEWER)},
    ${pick(PLACE_COLUMNS, PLACE_IS_NEWER)},
    records = s.records + excluded.records,
    first_ts = least(s.first_ts, excluded.first_ts),
    last_received_at = greatest(s.last_received_at, excluded.last_received_at)`;

interface Candidate {
  newest: PositionRow;
  place: PositionRow | null;
  lastReceivedAt: number;
}

function isNewer(a: PositionRow, b: PositionRow): boolean {
  return a.record.ts === b.record.ts ? a.record.eventId > b.record.eventId : a.record.ts > b.record.ts;
}

function hasPlace({ record }: PositionRow): boolean {
  return record.latitude !== null && record.longitude !== null;
}

/** The newest record, and the newest with a place, of each device among these rows. */
function candidates(rows: readonly PositionRow[]): Map<number, Candidate> {
  const byDevice = new Map<number, Candidate>();
  for (const row of rows) {
    const place = hasPlace(row) ? row : null;
    const known = byDevice.get(row.deviceId);
    if (known === undefined) {
      byDevice.set(row.deviceId, { newest: row, place, lastReceivedAt: row.receivedAt });
      continue;
    }
    if (isNewer(row, known.newest)) known.newest = row;
    if (place !== null && (known.place === null || isNewer(row, known.place))) known.place = row;
    known.lastReceivedAt = Math.max(known.lastReceivedAt, row.receivedAt);
  }
  return byDevice;
}

/** One element of the JSON that the statement takes; the attributes go in as the text they are. */
function toJson(deviceId: number, { newest, place, lastReceivedAt }: Candidate, records: number, firstTs: number): string {
  const { record } = newest;
  const fields = {
    device_id: deviceId,
    ts: record.ts,
    event_id: record.eventId,
    received_at: newest.receivedAt,
    valid: record.valid,
    priority: record.priority,
    fix_ts: place?.record.ts ?? null,
    fix_event_id: place?.record.eventId ?? null,
    latitude: place?.record.latitude ?? null,
    longitude: place?.record.longitude ?? null,
    altitude: place?.record.altitude ?? null,
    course: place?.record.course ?? null,
    speed: place?.record.speed ?? null,
    hdop: place?.record.hdop ?? null,
    satellites: place?.record.satellites ?? null,
    records,
    first_ts: firstTs,
    last_received_at: lastReceivedAt,
  };
  return `${JSON.stringify(fields).slice(0, -1)},"attributes":${record.attributesJson.toString()}}`;
}

/** Brings the state of the devices up to the rows just inserted. A device of which nothing was inserted is left alone. */
export async function updateDeviceState(
  client: PoolClient,
  rows: readonly PositionRow[],
  inserted: InsertedByDevice,
): Promise<void> {
  const elements: string[] = [];
  for (const [deviceId, candidate] of candidates(rows)) {
    const own = inserted.get(deviceId);
    if (own !== undefined) elements.push(toJson(deviceId, candidate, own.records, own.firstTs));
  }
  if (elements.length === 0) return;
  await client.query({ name: 'update-device-state', text: UPSERT, values: [`[${elements.join(',')}]`] });
}
