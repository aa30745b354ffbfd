/**
 * What waits to be sent to one viewer, and what happens when it does not take it. Up to a threshold everything is sent,
 * in order. Above it positions are conflated: of each device on each topic the newest is kept, in the place of an older
 * one, until the viewer has taken what was before; so a viewer costs no more than the threshold, one position for each
 * device that it follows, and the answers to what it asked (of which nothing is read meanwhile).
 *
 * One chunk is with the operating system at a time. A chunk that it does not take for `stuckMs` is a viewer that is not
 * there any more.
 */
import type { Encoding, Message, Transport } from '../messages/frames.ts';
import { CHUNK_BYTES, SSE_FORGET_ID, joined } from '../messages/frames.ts';

/** A position on a topic, for all that follow it. */
export interface Update {
  readonly message: Message;
  readonly topic: string;
  readonly deviceId: string;
}

/** Where chunks go. */
export interface Sink {
  /** @returns whether the operating system has taken it at once; otherwise `done` is called when it has */
  write(chunk: Buffer, done: () => void): boolean;
  /** Nothing waits any more above the threshold, or something does again. */
  pressed(isHigh: boolean): void;
}

/** What is the same for all viewers of a live server: one object, however many they are. */
export interface OutboxOptions {
  readonly thresholdBytes: number;
  /** Where the feed is: sent after conflated positions. */
  readonly cursor: () => Message;
  /** A position was replaced by a newer one before it was sent. */
  readonly onConflated: (positions: number) => void;
  /** Counts what `Sink.pressed` is told. */
  readonly onPressure: (isHigh: boolean) => void;
}

export class Outbox {
  readonly #sink: Sink;
  readonly #options: OutboxOptions;
  #encoding: Encoding;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  /** With the operating system. */
  #sentBytes = 0;
  #sentAt = 0;
  /** Conflated positions, the one longest unchanged first; null: nothing is conflated. */
  #pending: Map<string, Update> | null = null;
  #isClosed = false;

  constructor(transport: Transport, sink: Sink, options: OutboxOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#encoding = transport;
  }

  /** Bytes that the viewer has not taken yet, as far as this process knows. */
  get waitingBytes(): number {
    return this.#queuedBytes + this.#sentBytes;
  }

  get isConflating(): boolean {
    return this.#pending !== null;
  }

  get encoding(): Encoding {
    return this.#encoding;
  }

  /** For how long the operating system has taken nothing, at `now` (monotonic, milliseconds). */
  stuckMs(now: number): number {
    return this.#sentBytes === 0 ? 0 : now - this.#sentAt;
  }

  /** Puts chunks at the end; they go with the next `flush`. */
  push(chunks: readonly Buffer[]): void {
    for (const chunk of chunks) {
      this.#queue.push(chunk);
      this.#queuedBytes += chunk.length;
    }
  }

  /** Puts positions on their way as chunks that hold them, or each for itself where the viewer does not keep up. */
  deliver(updates: readonly Update[], chunks: readonly Buffer[]): void {
    if (this.#pending === null) this.push(chunks);
    else this.#conflate(this.#pending, updates);
  }

  /**
   * The viewer does not follow all that it asked for, and a browser resumes an event stream as a whole: so it is to
   * begin anew. Over WebSocket the client says what it resumes.
   */
  forbidResume(): void {
    if (this.#encoding !== 'sse') return;
    this.#encoding = 'sse_without_ids';
    this.push([SSE_FORGET_ID]);
  }

  /** Sends what waits, as far as the viewer takes it. */
  flush(): void {
    if (this.#isClosed) return;
    this.#sendNext();
    if (this.#pending === null && this.waitingBytes > this.#options.thresholdBytes) {
      this.#pending = new Map();
      this.#press(true);
    }
  }

  /** Takes back conflated positions: of a topic, or of one device on it. */
  retract(topic: string, deviceId?: string): void {
    for (const [key, update] of this.#pending ?? []) {
      if (update.topic === topic && (deviceId ?? update.deviceId) === update.deviceId) this.#pending?.delete(key);
    }
  }

  /** Hands over what waits, but for conflated positions: after it nothing more is sent. */
  finish(): void {
    const rest = this.#queue;
    this.close();
    if (rest.length > 0) this.#sink.write(Buffer.concat(rest), () => undefined);
  }

  /** Nothing more is sent. */
  close(): void {
    this.#isClosed = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#pending = null;
  }

  #press(isHigh: boolean): void {
    this.#options.onPressure(isHigh);
    this.#sink.pressed(isHigh);
  }

  #conflate(pending: Map<string, Update>, updates: readonly Update[]): void {
    let replaced = 0;
    for (const update of updates) {
      // Behind those that have waited longer: the first in the map is the one that has waited longest.
      const key = `${update.topic}\0${update.deviceId}`;
      if (pending.delete(key)) replaced += 1;
      pending.set(key, update);
    }
    this.#options.onConflated(replaced);
  }

  #sendNext(): void {
    while (this.#sentBytes === 0 && this.#queue.length > 0) {
      const chunk = this.#takeChunk();
      this.#queuedBytes -= chunk.length;
      if (this.#sink.write(chunk, this.#onTaken)) this.#refill();
      else {
        this.#sentBytes = chunk.length;
        this.#sentAt = performance.now();
      }
    }
  }

  readonly #onTaken = (): void => {
    this.#sentBytes = 0;
    if (this.#isClosed) return;
    this.#refill();
    this.#sendNext();
  };

  #refill(): void {
    if (this.#queue.length === 0 && this.#pending !== null) this.#release(this.#pending);
  }

  /** As many pieces from the queue as make one chunk. */
  #takeChunk(): Buffer {
    if (this.#queue.length === 1) return this.#queue.pop() as Buffer;
    let pieces = 0;
    let bytes = 0;
    for (const { length } of this.#queue) {
      if (pieces > 0 && bytes + length > CHUNK_BYTES) break;
      bytes += length;
      pieces += 1;
    }
    return Buffer.concat(this.#queue.splice(0, pieces), bytes);
  }

  /** All that was before is taken: conflated positions follow, up to the threshold at once, and then the cursor. */
  #release(pending: Map<string, Update>): void {
    const { thresholdBytes, cursor } = this.#options;
    const pieces: Buffer[] = [];
    let bytes = 0;
    for (const [key, { message }] of pending) {
      if (bytes > thresholdBytes) break;
      for (const piece of message.pieces(this.#encoding)) {
        pieces.push(piece);
        bytes += piece.length;
      }
      pending.delete(key);
    }
    if (pending.size === 0) {
      this.#pending = null;
      pieces.push(...cursor().pieces(this.#encoding));
      this.#press(false);
    }
    this.push(joined(pieces));
  }
}
