/**
 * Rows of `positions` in PostgreSQL's binary COPY format (documentation of COPY, "Binary Format"): every number big
 * endian, a length before each value, −1 for null. The attributes go in as the JSON that came off the stream.
 */
import type { StoredRecord } from '../shared/contracts/stored-record.ts';

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

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const HEADER_BYTES = SIGNATURE.length + 8;
const TRAILER_BYTES = 2;
/** The field count and, for each column, its length and at most 8 bytes; the attributes and their version byte come on top. */
const FIXED_ROW_BYTES = 2 + POSITION_COLUMNS.length * 12;
const JSONB_VERSION = 1;
/** Timestamps are microseconds since 2000-01-01. */
const POSTGRES_EPOCH_MS = 946_684_800_000;

/** Writes values one after the other; the caller has made the buffer large enough. */
class RowWriter {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: number) {
    this.#buffer = Buffer.allocUnsafe(bytes);
  }

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  raw(bytes: Buffer): void {
    this.#at += bytes.copy(this.#buffer, this.#at);
  }

  rawInt16(value: number): void {
    this.#at = this.#buffer.writeInt16BE(value, this.#at);
  }

  rawInt32(value: number): void {
    this.#at = this.#buffer.writeInt32BE(value, this.#at);
  }

  null(): void {
    this.rawInt32(-1);
  }

  bool(value: boolean): void {
    this.rawInt32(1);
    this.#at = this.#buffer.writeUInt8(value ? 1 : 0, this.#at);
  }

  int2(value: number | null): void {
    if (value === null) {
      this.null();
      return;
    }
    this.rawInt32(2);
    this.rawInt16(value);
  }

  int4(value: number): void {
    this.rawInt32(4);
    this.rawInt32(value);
  }

  int8(value: number): void {
    this.rawInt32(8);
    this.#at = this.#buffer.writeBigInt64BE(BigInt(value), this.#at);
  }

  float4(value: number | null): void {
    if (value === null) {
      this.null();
      return;
    }
    this.rawInt32(4);
    this.#at = this.#buffer.writeFloatBE(value, this.#at);
  }

  float8(value: number | null): void {
    if (value === null) {
      this.null();
      return;
    }
    this.rawInt32(8);
    this.#at = this.#buffer.writeDoubleBE(value, this.#at);
  }

  /** Milliseconds times a thousand can pass 2^53: the product is made of bigints. */
  timestamp(epochMs: number): void {
    this.rawInt32(8);
    this.#at = this.#buffer.writeBigInt64BE(BigInt(epochMs - POSTGRES_EPOCH_MS) * 1_000n, this.#at);
  }

  jsonb(json: Buffer): void {
    this.rawInt32(json.length + 1);
    this.#at = this.#buffer.writeUInt8(JSONB_VERSION, this.#at);
    this.raw(json);
  }
}

function writeRow(writer: RowWriter, { deviceId, receivedAt, record }: PositionRow): void {
  writer.rawInt16(POSITION_COLUMNS.length);
  writer.int8(deviceId);
  writer.timestamp(record.ts);
  writer.int4(record.eventId);
  writer.timestamp(receivedAt);
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

/** A complete COPY stream of these rows. */
export function encodeCopy(rows: readonly PositionRow[]): Buffer {
  let bytes = HEADER_BYTES + TRAILER_BYTES;
  for (const { record } of rows) bytes += FIXED_ROW_BYTES + record.attributesJson.length + 1;
  const writer = new RowWriter(bytes);
  writer.raw(SIGNATURE);
  writer.rawInt32(0); // flags: no OIDs
  writer.rawInt32(0); // no header extension
  for (const row of rows) writeRow(writer, row);
  writer.rawInt16(-1);
  return writer.finish();
}
