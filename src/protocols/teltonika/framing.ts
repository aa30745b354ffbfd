/**
 * Cuts a Teltonika TCP stream into frames: a ping (one byte FF), a login (length, IMEI) or a data frame (preamble,
 * length, data, CRC). The first two bytes tell which. Guarantees that preamble and length are judged before anything
 * is kept, that at most one frame up to `maxFrameBytes` is buffered, and that any split into chunks gives the same
 * events. A stream that is not Teltonika's is `broken` at the first byte that proves it; nothing throws.
 *
 * Source: Teltonika wiki, "Teltonika Data Sending Protocols", communication with server.
 */
import type { Framer, FramerEvent } from '../protocol.ts';

/**
 * AVL packets end at 1,280 bytes, camera packets (codec 12) at about 2,100; answers to commands and serial data are
 * longer on some devices.
 */
export const MAX_FRAME_BYTES = 65_536;

const PING = 0xff;
/** An IMEI has 15 digits; other identifiers are refused by the login, not here. */
const MAX_LOGIN_BYTES = 20;
/** Preamble (4) and length (4). */
const HEADER_BYTES = 8;
const CRC_BYTES = 4;
/** Codec ID, number of data 1, number of data 2. */
const MIN_DATA_BYTES = 3;
/** First allocation for an unfinished frame; it grows with what comes, so that a length alone takes no memory. */
const FIRST_ALLOCATION = 512;

type Broken = Extract<FramerEvent, { kind: 'broken' }>;

export function createTeltonikaFramer(maxFrameBytes: number = MAX_FRAME_BYTES): Framer {
  return new TeltonikaFramer(maxFrameBytes);
}

class TeltonikaFramer implements Framer {
  readonly #maxFrameBytes: number;
  /** The unfinished frame: the first `#keptBytes` of `#kept`. */
  #kept = Buffer.alloc(0);
  #keptBytes = 0;
  #isBroken = false;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  get bufferedBytes(): number {
    return this.#keptBytes;
  }

  push(chunk: Buffer): readonly FramerEvent[] {
    const events: FramerEvent[] = [];
    let at = 0;
    while (at < chunk.length && !this.#isBroken) {
      at = this.#keptBytes > 0 ? this.#continue(chunk, at, events) : this.#begin(chunk, at, events);
    }
    return events;
  }

  /** A frame that begins in this chunk; returns the offset behind what was used. */
  #begin(chunk: Buffer, at: number, events: FramerEvent[]): number {
    const size = frameSize(chunk, at, chunk.length, this.#maxFrameBytes);
    if (typeof size !== 'number') return this.#break(size, events);
    if (size === 0 || at + size > chunk.length) return this.#keep(chunk, at, chunk.length);
    events.push({ kind: 'frame', bytes: chunk.subarray(at, at + size) });
    return at + size;
  }

  /** A frame that began in an earlier chunk. */
  #continue(chunk: Buffer, at: number, events: FramerEvent[]): number {
    const size = frameSize(this.#kept, 0, this.#keptBytes, this.#maxFrameBytes);
    if (typeof size !== 'number') return this.#break(size, events);
    // Until the size is known a byte at a time: it is known after two or eight.
    const missing = size === 0 ? 1 : size - this.#keptBytes;
    const end = this.#keep(chunk, at, Math.min(at + missing, chunk.length));
    this.#finish(events);
    return end;
  }

  #finish(events: FramerEvent[]): void {
    const size = frameSize(this.#kept, 0, this.#keptBytes, this.#maxFrameBytes);
    if (typeof size !== 'number') this.#break(size, events);
    else if (size === this.#keptBytes) {
      events.push({ kind: 'frame', bytes: this.#kept.subarray(0, size) });
      this.#kept = Buffer.alloc(0);
      this.#keptBytes = 0;
    }
  }

  #keep(chunk: Buffer, start: number, end: number): number {
    const needed = this.#keptBytes + end - start;
    if (needed > this.#kept.length) {
      const doubled = Math.min(Math.max(2 * this.#kept.length, FIRST_ALLOCATION), this.#maxFrameBytes);
      const grown = Buffer.allocUnsafe(Math.max(needed, doubled));
      this.#kept.copy(grown, 0, 0, this.#keptBytes);
      this.#kept = grown;
    }
    chunk.copy(this.#kept, this.#keptBytes, start, end);
    this.#keptBytes = needed;
    return end;
  }

  #break(event: Broken, events: FramerEvent[]): number {
    this.#isBroken = true;
    this.#kept = Buffer.alloc(0);
    this.#keptBytes = 0;
    events.push(event);
    return 0;
  }
}

/** Bytes of the frame that begins at `start`; 0 while more bytes are needed to tell; or why there is none. */
function frameSize(bytes: Buffer, start: number, end: number, maxFrameBytes: number): number | Broken {
  const first = bytes[start];
  if (first === PING) return 1;
  if (first !== 0) return broken('bad_preamble', `no frame begins with 0x${bytes.toString('hex', start, start + 1)}`, bytes, start, 1);
  if (end - start < 2) return 0;
  const second = bytes[start + 1] ?? 0;
  if (second > MAX_LOGIN_BYTES) {
    return broken('length_out_of_range', `a login of ${second} bytes`, bytes, start, 2);
  }
  return second > 0 ? 2 + second : dataFrameSize(bytes, start, end, maxFrameBytes);
}

// Preamble 00000000 | data field length (4) | data | CRC-16 (4)
function dataFrameSize(bytes: Buffer, start: number, end: number, maxFrameBytes: number): number | Broken {
  for (let offset = 2; offset < 4; offset += 1) {
    if (start + offset >= end) return 0;
    if (bytes[start + offset] !== 0) {
      return broken('bad_preamble', 'the preamble is not four zero bytes', bytes, start, offset + 1);
    }
  }
  if (end - start < HEADER_BYTES) return 0;
  const dataBytes = bytes.readUInt32BE(start + 4);
  const size = HEADER_BYTES + dataBytes + CRC_BYTES;
  if (dataBytes < MIN_DATA_BYTES || size > maxFrameBytes) {
    return broken('length_out_of_range', `a data field of ${dataBytes} bytes`, bytes, start, HEADER_BYTES);
  }
  return size;
}

function broken(code: Broken['code'], message: string, bytes: Buffer, start: number, length: number): Broken {
  return { kind: 'broken', code, message, bytes: Buffer.from(bytes.subarray(start, start + length)) };
}
