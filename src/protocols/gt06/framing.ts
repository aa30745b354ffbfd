/**
 * Cuts GT06's TCP stream into frames. The same bytes give the same events however they are cut into chunks. Bytes
 * that cannot be a frame break the stream: the protocol has no mark that a reader could find its way back to, since
 * 7878 and 0D0A also occur inside packets.
 */
import type { Framer, FramerEvent } from '../protocol.ts';
import { measureFrame } from './frame-layout.ts';

/** Bytes of a broken frame that its event shows. */
const SHOWN_BYTES = 256;
/** First allocation for an unfinished frame; it grows with what comes, so that a length alone takes no memory. */
const FIRST_ALLOCATION = 512;

export class Gt06Framer implements Framer {
  readonly #maxFrameBytes: number;
  /** The unfinished frame: the first `#filled` bytes of `#pending`. */
  #pending: Buffer = Buffer.alloc(0);
  #filled = 0;
  /** Bytes that the next decision about it needs. */
  #needed = 0;
  #broken = false;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  get bufferedBytes(): number {
    return this.#filled;
  }

  push(chunk: Buffer): readonly FramerEvent[] {
    const events: FramerEvent[] = [];
    let at = 0;
    while (at < chunk.length && !this.#broken) {
      if (this.#filled > 0) {
        at += this.#fill(chunk, at);
        if (this.#filled === this.#needed) this.#judge(this.#pending.subarray(0, this.#filled), events);
      } else {
        at += this.#judge(chunk.subarray(at), events);
      }
    }
    return events;
  }

  #fill(chunk: Buffer, from: number): number {
    const end = Math.min(chunk.length, from + this.#needed - this.#filled);
    this.#reserve(this.#filled + end - from);
    const copied = chunk.copy(this.#pending, this.#filled, from, end);
    this.#filled += copied;
    return copied;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#pending.length) return;
    const doubled = Math.min(Math.max(2 * this.#pending.length, FIRST_ALLOCATION), this.#maxFrameBytes);
    const grown = Buffer.allocUnsafe(Math.max(bytes, doubled));
    this.#pending.copy(grown, 0, 0, this.#filled);
    this.#pending = grown;
  }

  /** Emits the frame at the start of `bytes`, or keeps them until more is there. Returns how many are dealt with. */
  #judge(bytes: Buffer, events: FramerEvent[]): number {
    const verdict = measureFrame(bytes, this.#maxFrameBytes);
    if (verdict.kind === 'more') {
      this.#needed = verdict.bytes;
      if (this.#filled === 0) this.#fill(bytes, 0);
      return bytes.length;
    }
    this.#filled = 0;
    this.#pending = Buffer.alloc(0);
    if (verdict.kind === 'frame') {
      events.push({ kind: 'frame', bytes: bytes.subarray(0, verdict.bytes) });
      return verdict.bytes;
    }
    this.#broken = true;
    const shown = bytes.subarray(0, Math.min(verdict.bytes, SHOWN_BYTES));
    events.push({ kind: 'broken', code: verdict.code, message: verdict.message, bytes: shown });
    return bytes.length;
  }
}
