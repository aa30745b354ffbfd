/**
 * A cursor over bytes, big endian as the tracker protocols are. Every read checks the bounds and throws a
 * `TruncatedError` that says where and how much was wanted; a decoder catches it in one place.
 */
import { TruncatedError } from './errors.ts';

/** `skip` has checked that it is there. A DataView reads as fast and takes a hundred nanoseconds to make. */
function byteAt(bytes: Buffer, at: number): number {
  return bytes[at] as number;
}

export class ByteReader {
  readonly bytes: Buffer;
  #offset: number;
  readonly #end: number;

  /** Reads `bytes` from `start` (inclusive) to `end` (exclusive). */
  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
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
    return byteAt(this.bytes, this.skip(1));
  }

  i8(): number {
    return (this.u8() << 24) >> 24;
  }

  u16(): number {
    const at = this.skip(2);
    return (byteAt(this.bytes, at) << 8) | byteAt(this.bytes, at + 1);
  }

  i16(): number {
    return (this.u16() << 16) >> 16;
  }

  u32(): number {
    return this.i32() >>> 0;
  }

  i32(): number {
    const at = this.skip(4);
    const { bytes } = this;
    const high = (byteAt(bytes, at) << 8) | byteAt(bytes, at + 1);
    return (high << 16) | (byteAt(bytes, at + 2) << 8) | byteAt(bytes, at + 3);
  }

  u64(): bigint {
    return this.bytes.readBigUInt64BE(this.skip(8));
  }

  i64(): bigint {
    return this.bytes.readBigInt64BE(this.skip(8));
  }

  /** IEEE 754 single precision. */
  f32(): number {
    return this.bytes.readFloatBE(this.skip(4));
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
