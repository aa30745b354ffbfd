/**
 * A cursor over bytes, big endian as the tracker protocols are. Every read checks the bounds and throws a
 * `TruncatedError` that says where and how much was wanted; a decoder catches it in one place.
 */
import { TruncatedError } from './errors.ts';

export class ByteReader {
  readonly bytes: Buffer;
  readonly #view: DataView;
  #offset: number;
  readonly #end: number;

  /** Reads `bytes` from `start` (inclusive) to `end` (exclusive). */
  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#offset = start;
    this.#end = end;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  /** Moves on by `length` bytes and returns the offset before the move. */
  skip(length: number): number {
    const at = this.#offset;
    if (length > this.#end - at) throw new TruncatedError(at, length, this.#end - at);
    this.#offset = at + length;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.skip(1));
  }

  i8(): number {
    return this.#view.getInt8(this.skip(1));
  }

  u16(): number {
    return this.#view.getUint16(this.skip(2));
  }

  i16(): number {
    return this.#view.getInt16(this.skip(2));
  }

  u32(): number {
    return this.#view.getUint32(this.skip(4));
  }

  i32(): number {
    return this.#view.getInt32(this.skip(4));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.skip(8));
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.skip(8));
  }

  /** IEEE 754 single precision. */
  f32(): number {
    return this.#view.getFloat32(this.skip(4));
  }

  /** A view of the next `length` bytes, not a copy. */
  take(length: number): Buffer {
    const at = this.skip(length);
    return this.bytes.subarray(at, at + length);
  }

  hex(length: number): string {
    return this.take(length).toString('hex');
  }
}
