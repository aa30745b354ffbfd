/**
 * What a protocol is: pure functions from bytes to records and reply. No socket, clock, logger or database.
 *
 * The reply is part of the result. The caller sends it only after what the frame brought is durable, and never
 * otherwise: that is what makes an acknowledgement mean 'kept'.
 */
import type { TelemetryRecord } from '../shared/model.ts';
import type { ReasonCode } from '../shared/reasons.ts';

/** What a framer finds in the bytes pushed so far. After `broken` the stream cannot go on and no more is found. */
export type FramerEvent =
  | { readonly kind: 'frame'; readonly bytes: Buffer }
  /** Bytes passed over; the stream goes on behind them. `bytes` may be cut to the first 256. */
  | { readonly kind: 'skipped'; readonly code: ReasonCode; readonly message: string; readonly bytes: Buffer }
  | { readonly kind: 'broken'; readonly code: ReasonCode; readonly message: string; readonly bytes: Buffer };

/**
 * Cuts a byte stream into frames. Any splitting of the same bytes into chunks gives the same events. Length and
 * preamble are checked before anything is kept, so at most `maxFrameBytes` are buffered.
 */
export interface Framer {
  /** Frames may be views of `chunk`: whoever keeps one longer than the chunk copies it. */
  push(chunk: Buffer): readonly FramerEvent[];
  /** Bytes of an unfinished frame. */
  readonly bufferedBytes: number;
}

/**
 * What a connection knows between frames. Immutable: `handle` returns the next one. Plain JSON: a dead letter keeps the
 * one before its frame, so that the frame can be decoded again.
 */
export interface Session {
  /** Who is speaking, once it is known. */
  readonly deviceId: string | null;
}

/** A record, or a whole frame, that could not be decoded. It is dead-lettered with its bytes and acknowledged. */
export interface RejectedRecord {
  readonly code: ReasonCode;
  /** The field at fault, e.g. `records[2].latitude`. */
  readonly field: string;
  readonly message: string;
  /** Always the whole frame or datagram: decoded again, it gives the same. */
  readonly raw: Buffer;
}

/** The frame is taken: once records and rejected are durable, `reply` is sent. */
export interface Accepted<S extends Session = Session> {
  readonly kind: 'accepted';
  readonly session: S;
  readonly records: readonly TelemetryRecord[];
  readonly rejected: readonly RejectedRecord[];
  readonly reply: Buffer | null;
  /** What to answer instead, before closing, when the device that this frame names is not allowed. */
  readonly denial: Buffer | null;
}

/** The frame is not taken and not acknowledged. */
export interface Refused<S extends Session = Session> {
  readonly kind: 'refused';
  readonly session: S;
  readonly code: ReasonCode;
  readonly field: string;
  readonly message: string;
  /** The connection cannot go on. */
  readonly close: boolean;
  /** The acknowledgement to send if the same frame comes again and again and is dead-lettered instead; null: never. */
  readonly replyWhenDeadLettered: Buffer | null;
}

export type Handled<S extends Session = Session> = Accepted<S> | Refused<S>;

/** The result of one datagram, for protocols that also speak UDP: it says itself whose it is. */
export interface HandledDatagram {
  readonly deviceId: string | null;
  readonly handled: Handled;
}

export interface Protocol<S extends Session = Session> {
  /** Lower case, as in INGEST_LISTENERS, in stream entries and in metric labels. */
  readonly name: string;
  readonly maxFrameBytes: number;
  createFramer(maxFrameBytes?: number): Framer;
  open(): S;
  /** `receivedAt` (epoch milliseconds) is the time of messages that carry none. */
  handle(session: S, frame: Buffer, receivedAt: number): Handled<S>;
  /** Absent where the protocol has no datagram form. */
  handleDatagram?(datagram: Buffer, receivedAt: number): HandledDatagram;
}
