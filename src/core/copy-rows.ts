/**
 * Rows of `positions` in PostgreSQL's binary COPY format (documentation of COPY, "Binary Format"). The attributes go in
 * as the JSON that came off the stream. Never throws for a record that its contract lets through.
 */
import type { StoredRecord } from '../shared/contracts/record-fields.ts';
import { BinaryWriter, FIXED_VALUE_BYTES, jsonbBytes } from './binary-format.ts';

/** A record with the id of its device in the database. */
export interface PositionRow {
  readonly deviceId: number;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly record: StoredRecord;
}

/** The columns in the order in which rows are encoded. */
export const POSITION_COLUMNS = [
  'device_id', 'ts', 'event_id', 'received_at', 'latitude', 'longitude', 'altitude', 'course', 'speed', 'hdop',
  'satellites', 'valid', 'priority', 'attributes',
] as const;

/** The signature, no flags, and no extension of the header. */
export const COPY_START: Buffer = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
export const COPY_END: Buffer = Buffer.from([0xff, 0xff]);
/** The field count and every column but the attributes. */
const FIXED_ROW_BYTES = 2 + (POSITION_COLUMNS.length - 1) * FIXED_VALUE_BYTES;

function writeRow(writer: BinaryWriter, { deviceId, receivedAt, record }: PositionRow): void {
  writer.rawInt16(POSITION_COLUMNS.length);
  writer.int8(deviceId);
  writer.timestamptz(record.ts);
  writer.int4(record.eventId);
  writer.timestamptz(receivedAt);
  writer.float8(record.latitude);
  writer.float8(record.longitude);
  writer.float4(record.altitude);
  writer.float4(record.course);
  writer.float4(record.speed);
  writer.float4(record.hdop);
  writer.int2(record.satellites);
  writer.bool(record.valid);
  writer.int2(record.priority);
  writer.jsonb(record.attributesJson);
}

/** A complete COPY stream of these rows, in memory that `allocate` gives for so many bytes. */
export function encodeCopy(
  rows: readonly PositionRow[], allocate: (bytes: number) => Buffer = (bytes) => Buffer.allocUnsafe(bytes),
): Buffer {
  let bytes = COPY_START.length + COPY_END.length;
  for (const { record } of rows) bytes += FIXED_ROW_BYTES + jsonbBytes(record.attributesJson);
  const writer = new BinaryWriter(allocate(bytes));
  writer.raw(COPY_START);
  for (const row of rows) writeRow(writer, row);
  writer.raw(COPY_END);
  return writer.finish();
}
