/**
 * Cuts GT06's TCP stream into frames. The same bytes give the same events however they are cut into chunks. Bytes
 * that cannot be a frame break the stream: the protocol has no mark that a reader could find its way back to, since
 * 7878 and 0D0A also occur inside packets.
 */
import type { Framer, FramerEvent } from '../protocol.ts';
import { measureFrame } from './frame-layout.ts';

/** Bytes of a broken frame that its event shows. */
const SHOWN_BYTES = 256;

export class Gt06Framer implements Framer {
  readonly #maxFrameBytes: number;
  /** An unfinished frame: as long as the next decision about it needs, filled up to `#filled`. */
  #pending: Buffer = Buffer.alloc(0);
  #filled = 0;
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
        if (this.#filled === this.#pending.length) this.#judge(this.#pending, events);
      } else {
        at += this.#judge(chunk.subarray(at), events);
      }
    }
    return events;
  }

  #fill(chunk: Buffer, from: number): number {
    const copied = chunk.copy(this.#pending, this.#filled, from);
    this.#filled += copied;
    return copied;
  }

  /** Emits the frame at the start of `bytes`, or keeps them until more is there. Returns how many are dealt with. */
  #judge(bytes: Buffer, events: FramerEvent[]): number {
    const verdict = measureFrame(bytes, this.#maxFrameBytes);
    if (verdict.kind === 'more') {
      this.#pending = Buffer.alloc(verdict.bytes);
      this.#filled = bytes.copy(this.#pending);
      return bytes.length;
    }
    this.#filled = 0;
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
