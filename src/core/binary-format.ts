/**
 * Values in PostgreSQL's binary format, as COPY and the parameters of a statement take them: every number big endian, a
 * length before each value, −1 for null. Nothing is rounded but to the type of the column. The caller has made sure
 * that each value fits its type; one that does not throws a RangeError.
 */

/** Timestamps are microseconds since 2000-01-01. */
export const POSTGRES_EPOCH_MS = 946_684_800_000;
const JSONB_VERSION = 1;
export const TWO_TO_32: number = 2 ** 32;

/** The most bytes that a value of fixed length takes with its length; jsonb takes `jsonbBytes`. */
export const FIXED_VALUE_BYTES = 12;

export function jsonbBytes(json: Buffer): number {
  return 4 + 1 + json.length;
}

/** Writes values one after the other into memory that has to be large enough. */
export class BinaryWriter {
  readonly #buffer: Buffer;
  /** Of the same memory: its writes are single instructions, those of a Buffer one for each byte. */
  readonly #view: DataView;
  #at = 0;

  constructor(memory: Buffer) {
    this.#buffer = memory;
    this.#view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  }

  /** What was written: a part of the memory. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  raw(bytes: Buffer): void {
    this.#at += bytes.copy(this.#buffer, this.#at);
  }

  rawInt16(value: number): void {
    requireWithin(value, 2 ** 15);
    this.#view.setInt16(this.#at, value);
    this.#at += 2;
  }

  rawInt32(value: number): void {
    requireWithin(value, 2 ** 31);
    this.#view.setInt32(this.#at, value);
    this.#at += 4;
  }

  null(): void {
    this.rawInt32(-1);
  }

  /** The lower half of an integer of 64 bits. */
  #rawUint32(value: number): void {
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
  }

  bool(value: boolean): void {
    this.rawInt32(1);
    this.#view.setUint8(this.#at, value ? 1 : 0);
    this.#at += 1;
  }

  int2(value: number | null): void {
    if (value === null) {
      this.null();
      return;
    }
    this.rawInt32(2);
    this.rawInt16(value);
  }

  int4(value: number | null): void {
    if (value === null) {
      this.null();
      return;
    }
    this.rawInt32(4);
    this.rawInt32(value);
  }

  /** A safe integer. */
  int8(value: number): void {
    this.rawInt32(8);
    const high = Math.floor(value / TWO_TO_32);
    this.rawInt32(high);
    this.#rawUint32(value - high * TWO_TO_32);
  }

  float4(value: number | null): void {
    if (value === null) {
      this.null();
      return;
    }
    this.rawInt32(4);
    this.#view.setFloat32(this.#at, value);
    this.#at += 4;
  }

  float8(value: number | null): void {
    if (value === null) {
      this.null();
      return;
    }
    this.rawInt32(8);
    this.#view.setFloat64(this.#at, value);
    this.#at += 8;
  }

  /** Whole milliseconds. Times a thousand they can pass 2^53, so both halves of the product are made on their own. */
  timestamptz(epochMs: number | null): void {
    if (epochMs === null) {
      this.null();
      return;
    }
    this.rawInt32(8);
    const milliseconds = epochMs - POSTGRES_EPOCH_MS;
    const high = Math.floor(milliseconds / TWO_TO_32);
    const low = (milliseconds - high * TWO_TO_32) * 1_000;
    const carry = Math.floor(low / TWO_TO_32);
    this.rawInt32(high * 1_000 + carry);
    this.#rawUint32(low - carry * TWO_TO_32);
  }

  jsonb(json: Buffer): void {
    this.rawInt32(json.length + 1);
    this.#view.setUint8(this.#at, JSONB_VERSION);
    this.#at += 1;
    this.raw(json);
  }
}

/** A view would wrap the value around in silence. */
function requireWithin(value: number, limit: number): void {
  if (!(value >= -limit && value < limit)) throw new RangeError(`${value} is not from ${-limit} to ${limit - 1}`);
}

/** Types of array elements by their object id (catalogue pg_type, the same in every database). */
export const TYPE_OIDS = {
  bool: 16, int8: 20, int2: 21, int4: 23, float4: 700, float8: 701, timestamptz: 1184, jsonb: 3802,
} as const;

const ARRAY_HEADER_BYTES = 20;

/** An array of one dimension: dimensions, nulls, type, size, lower bound, then the elements that `write` writes. */
export function encodeArray<T>(
  type: keyof typeof TYPE_OIDS,
  items: readonly T[],
  write: (writer: BinaryWriter, item: T) => void,
  elementBytes: (item: T) => number = () => FIXED_VALUE_BYTES,
): Buffer {
  let bytes = ARRAY_HEADER_BYTES;
  for (const item of items) bytes += elementBytes(item);
  const writer = new BinaryWriter(Buffer.allocUnsafe(bytes));
  for (const field of [1, 1, TYPE_OIDS[type], items.length, 1]) writer.rawInt32(field);
  for (const item of items) write(writer, item);
  return writer.finish();
}
