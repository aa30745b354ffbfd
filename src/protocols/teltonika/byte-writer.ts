/**
 * Writes big-endian integers one behind the other into a buffer that grows. A value that its width cannot hold is a
 * RangeError.
 */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(256);
  #length = 0;

  /** An integer of 1, 2 or 4 bytes; a negative one as two's complement. */
  integer(value: number, width: 1 | 2 | 4): this {
    const limit = 2 ** (8 * width);
    if (!Number.isInteger(value) || value >= limit || value < -limit / 2) {
      throw new RangeError(`${value} is no integer of ${width} bytes`);
    }
    const at = this.#reserve(width);
    if (width === 1) this.#bytes[at] = value;
    else if (width === 2) this.#bytes.writeUInt16BE(value & 0xffff, at);
    else this.#bytes.writeInt32BE(value | 0, at);
    return this;
  }

  /** An integer of 8 bytes; a negative one as two's complement. */
  integer64(value: number | bigint): this {
    const integer = BigInt(value);
    if (integer >= 1n << 64n || integer < -(1n << 63n)) throw new RangeError(`${integer} is no integer of 8 bytes`);
    const at = this.#reserve(8);
    this.#bytes.writeBigUInt64BE(BigInt.asUintN(64, integer), at);
    return this;
  }

  raw(bytes: Buffer): this {
    const at = this.#reserve(bytes.length);
    bytes.copy(this.#bytes, at);
    return this;
  }

  /** What was written: a copy. */
  toBuffer(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  /** Makes room for `count` bytes and returns the offset where they begin. */
  #reserve(count: number): number {
    const at = this.#length;
    if (at + count > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(at + count, 2 * this.#bytes.length));
      this.#bytes.copy(grown, 0, 0, at);
      this.#bytes = grown;
    }
    this.#length = at + count;
    return at;
  }
}
