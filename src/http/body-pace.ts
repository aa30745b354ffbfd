/**
 * How slowly bodies may come. A body has to be complete within API_BODY_TIMEOUT_MS, unless its route takes a stream:
 * that may go on as long as bytes keep coming, within limits that the route gives. One timer for all requests, and
 * nothing is done for one whose body is there at once, as it is nearly always.
 *
 * Guarantee: a client that stalls, or trickles, holds a connection for a bounded time; one that is kept waiting by this
 * process is not blamed for its silence meanwhile. All of it ends at `totalMs`, whoever waited for whom. Bytes are
 * those on the wire, compressed.
 */
import type { IncomingMessage } from 'node:http';

export interface PaceLimits {
  /** Longest silence, milliseconds. */
  readonly idleMs: number;
  /** Least on average over `idleMs`. */
  readonly minBytesPerSecond: number;
  /** From the first byte of the request to the last, milliseconds. */
  readonly totalMs: number;
}

/** One body. */
export interface BodyPace {
  /** The route reads a stream: from now on with these limits, and it is told, once, when they are not kept. */
  stream(limits: PaceLimits, onTooSlow: (reason: string) => void): void;
}

const CHECK_INTERVAL_MS = 1_000;
const SECOND_MS = 1_000;

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** No more is taken in before what is there has been read: silence is not the client's. */
function isFull({ readableLength, readableHighWaterMark }: IncomingMessage): boolean {
  return readableLength >= readableHighWaterMark;
}

class WatchedBody implements BodyPace {
  readonly request: IncomingMessage;
  readonly #begunAt = performance.now();
  #limits: PaceLimits;
  #onTooSlow: ((reason: string) => void) | null = null;
  /** The present stretch in which the client could send. */
  #since = this.#begunAt;
  #bytesThen: number;

  constructor(request: IncomingMessage, limits: PaceLimits) {
    this.request = request;
    this.#limits = limits;
    this.#bytesThen = request.socket.bytesRead;
  }

  stream(limits: PaceLimits, onTooSlow: (reason: string) => void): void {
    this.#limits = limits;
    this.#onTooSlow = onTooSlow;
  }

  /** null: all is well, or no more is awaited. */
  tooSlow(now: number): string | null {
    const { idleMs, minBytesPerSecond, totalMs } = this.#limits;
    if (now - this.#begunAt > totalMs) return `the body was not complete within ${totalMs / SECOND_MS} seconds`;
    const { bytesRead } = this.request.socket;
    if (isFull(this.request)) this.#begin(now, bytesRead);
    const seconds = (now - this.#since) / SECOND_MS;
    if (seconds * SECOND_MS <= idleMs) return null;
    const bytes = bytesRead - this.#bytesThen;
    const least = Math.max(1, Math.ceil(minBytesPerSecond * seconds));
    if (bytes < least) return `of the body came ${bytes} bytes in ${seconds.toFixed(1)} seconds, and ${least} is the least`;
    this.#begin(now, bytesRead);
    return null;
  }

  /** @returns whether the route was told */
  end(reason: string): boolean {
    const tell = this.#onTooSlow;
    this.#onTooSlow = null;
    tell?.(reason);
    return tell !== null;
  }

  #begin(now: number, bytes: number): void {
    this.#since = now;
    this.#bytesThen = bytes;
  }
}

export interface BodyPaceOptions {
  /** How long a body may take that its route reads as a whole, milliseconds. */
  readonly wholeMs: number;
  /** Of such a body: nobody else ends it. */
  readonly onTooSlow: (request: IncomingMessage) => void;
}

export class BodyPaces {
  readonly #bodies = new Set<WatchedBody>();
  readonly #limits: PaceLimits;
  readonly #onTooSlow: (request: IncomingMessage) => void;
  readonly #timer: NodeJS.Timeout;

  constructor({ wholeMs, onTooSlow }: BodyPaceOptions) {
    this.#limits = { idleMs: Infinity, minBytesPerSecond: 0, totalMs: wholeMs };
    this.#onTooSlow = onTooSlow;
    this.#timer = setInterval(() => { this.#check(performance.now()); }, CHECK_INTERVAL_MS);
    this.#timer.unref();
  }

  /** null: the request has no body. */
  watch(request: IncomingMessage): BodyPace | null {
    if (!hasBody(request)) return null;
    const body = new WatchedBody(request, this.#limits);
    this.#bodies.add(body);
    return body;
  }

  /** The request is answered. What is left of its body is awaited all the same, or the next request is not reached. */
  answered(body: BodyPace | null): void {
    const watched = body as WatchedBody | null;
    if (watched?.request.complete === true) this.#bodies.delete(watched);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#bodies.clear();
  }

  #check(now: number): void {
    for (const body of this.#bodies) {
      const { request } = body;
      const isOver = request.complete || request.socket.destroyed;
      const reason = isOver ? null : body.tooSlow(now);
      if (!isOver && reason === null) continue;
      this.#bodies.delete(body);
      if (reason !== null && !body.end(reason)) this.#onTooSlow(request);
    }
  }
}
