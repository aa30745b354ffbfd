/**
 * The newest state of each device, written in the same transaction as its records, so that the two never disagree.
 * Newest wins by `(ts, event_id)`: a late record is counted and changes nothing else. The place kept is that of the
 * newest record with coordinates, which a newer record without a fix does not wipe.
 */
import type { PoolClient } from 'pg';
import { rowsOf } from '../db/rows.ts';
import type { BinaryWriter, TYPE_OIDS } from './binary-format.ts';
import { encodeArray, jsonbBytes } from './binary-format.ts';
import type { PositionRow } from './copy-rows.ts';

/** What some rows of one device say together. */
export interface DeviceSummary {
  newest: PositionRow;
  /** The newest with coordinates; null: none has any. */
  place: PositionRow | null;
  records: number;
  firstTs: number;
  lastReceivedAt: number;
}

function isNewer({ record: a }: PositionRow, { record: b }: PositionRow): boolean {
  return a.ts === b.ts ? a.eventId > b.eventId : a.ts > b.ts;
}

function hasPlace({ record }: PositionRow): boolean {
  return record.latitude !== null && record.longitude !== null;
}

function summaryOf(row: PositionRow): DeviceSummary {
  const { record: { ts }, receivedAt } = row;
  return { newest: row, place: hasPlace(row) ? row : null, records: 1, firstTs: ts, lastReceivedAt: receivedAt };
}

function add(summary: DeviceSummary, row: PositionRow): void {
  const { newest, place, firstTs, lastReceivedAt } = summary;
  const { record: { ts }, receivedAt } = row;
  if (isNewer(row, newest)) summary.newest = row;
  if (hasPlace(row) && (place === null || isNewer(row, place))) summary.place = row;
  summary.records += 1;
  if (ts < firstTs) summary.firstTs = ts;
  if (receivedAt > lastReceivedAt) summary.lastReceivedAt = receivedAt;
}

/** By id of the device. The order of the rows makes no difference. */
export function summarise(rows: readonly PositionRow[]): ReadonlyMap<number, Readonly<DeviceSummary>> {
  const byDevice = new Map<number, DeviceSummary>();
  for (const row of rows) {
    const known = byDevice.get(row.deviceId);
    if (known === undefined) byDevice.set(row.deviceId, summaryOf(row));
    else add(known, row);
  }
  return byDevice;
}

type OfDevice = readonly [deviceId: number, summary: Readonly<DeviceSummary>];

/** A column of `device_state`: when its value is replaced, its type, and how it is written. */
interface Column {
  readonly name: string;
  readonly follows: 'key' | 'newest' | 'place' | 'all';
  readonly type: keyof typeof TYPE_OIDS;
  readonly write: (writer: BinaryWriter, of: OfDevice) => void;
}

function newest(name: string, type: Column['type'], write: (writer: BinaryWriter, row: PositionRow) => void): Column {
  return { name, follows: 'newest', type, write: (writer, [, summary]) => { write(writer, summary.newest); } };
}

type PlaceRecord = PositionRow['record'] | undefined;

function place(name: string, type: Column['type'], write: (writer: BinaryWriter, record: PlaceRecord) => void): Column {
  return { name, follows: 'place', type, write: (writer, [, summary]) => { write(writer, summary.place?.record); } };
}

const COLUMNS: readonly Column[] = [
  { name: 'device_id', follows: 'key', type: 'int8', write: (to, [deviceId]) => { to.int8(deviceId); } },
  newest('ts', 'timestamptz', (to, { record }) => { to.timestamptz(record.ts); }),
  newest('event_id', 'int4', (to, { record }) => { to.int4(record.eventId); }),
  newest('received_at', 'timestamptz', (to, { receivedAt }) => { to.timestamptz(receivedAt); }),
  newest('valid', 'bool', (to, { record }) => { to.bool(record.valid); }),
  newest('priority', 'int2', (to, { record }) => { to.int2(record.priority); }),
  newest('attributes', 'jsonb', (to, { record }) => { to.jsonb(record.attributesJson); }),
  place('fix_ts', 'timestamptz', (to, record) => { to.timestamptz(record?.ts ?? null); }),
  place('fix_event_id', 'int4', (to, record) => { to.int4(record?.eventId ?? null); }),
  place('latitude', 'float8', (to, record) => { to.float8(record?.latitude ?? null); }),
  place('longitude', 'float8', (to, record) => { to.float8(record?.longitude ?? null); }),
  place('altitude', 'float4', (to, record) => { to.float4(record?.altitude ?? null); }),
  place('course', 'float4', (to, record) => { to.float4(record?.course ?? null); }),
  place('speed', 'float4', (to, record) => { to.float4(record?.speed ?? null); }),
  place('hdop', 'float4', (to, record) => { to.float4(record?.hdop ?? null); }),
  place('satellites', 'int2', (to, record) => { to.int2(record?.satellites ?? null); }),
  { name: 'records', follows: 'all', type: 'int8', write: (to, [, { records }]) => { to.int8(records); } },
  { name: 'first_ts', follows: 'all', type: 'timestamptz', write: (to, [, { firstTs }]) => { to.timestamptz(firstTs); } },
  { name: 'last_received_at', follows: 'all', type: 'timestamptz', write: (to, [, { lastReceivedAt }]) => { to.timestamptz(lastReceivedAt); } },
];

const NAMES = COLUMNS.map(({ name }) => name).join(', ');
const PARAMETERS = COLUMNS.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ');

const IS_NEWER = '(excluded.ts, excluded.event_id) > (s.ts, s.event_id)';
const PLACE_IS_NEWER =
  'excluded.fix_ts is not null and (s.fix_ts is null or (excluded.fix_ts, excluded.fix_event_id) > (s.fix_ts, s.fix_event_id))';

function replaceWhen(condition: string, follows: Column['follows']): string {
  const names = COLUMNS.filter((column) => column.follows === follows).map(({ name }) => name);
  return names.map((name) => `${name} = case when ${condition} then excluded.${name} else s.${name} end`).join(',\n    ');
}

/** In the order of ids, so that two writers that update the same devices do not deadlock. */
const UPSERT = `
  insert into device_state as s (${NAMES})
  select ${NAMES} from unnest(${PARAMETERS}) as new (${NAMES}) order by device_id
  on conflict (device_id) do update set
    ${replaceWhen(IS_NEWER, 'newest')},
    ${replaceWhen(PLACE_IS_NEWER, 'place')},
    records = s.records + excluded.records,
    first_ts = least(s.first_ts, excluded.first_ts),
    last_received_at = greatest(s.last_received_at, excluded.last_received_at)`;

function encode({ type, write }: Column, devices: readonly OfDevice[]): Buffer {
  if (type !== 'jsonb') return encodeArray(type, devices, write);
  return encodeArray(type, devices, write, ([, summary]) => jsonbBytes(summary.newest.record.attributesJson));
}

/** Brings the state of the devices up to rows that were just inserted, duplicates not among them. */
export async function updateDeviceState(client: PoolClient, inserted: readonly PositionRow[]): Promise<void> {
  if (inserted.length === 0) return;
  const devices = [...summarise(inserted)];
  const values = COLUMNS.map((column) => encode(column, devices));
  await rowsOf(client, { name: 'update-device-state', text: UPSERT, values });
}
