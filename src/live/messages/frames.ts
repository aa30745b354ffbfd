/**
 * Messages as bytes: WebSocket frames from a server (RFC 6455, section 5.2: no mask) and server-sent events. A long
 * message is cut into fragments, between which control frames may pass (section 5.4), so that no ping waits behind a
 * large snapshot.
 */

/** What carries the messages of a viewer. */
export type Transport = 'websocket' | 'sse';

/** How messages become bytes: events may go without their ids, so that nobody resumes from them. */
export type Encoding = Transport | 'sse_without_ids';

/** Most bytes handed to the operating system at once, and the longest fragment. */
export const CHUNK_BYTES = 64 * 1024;

const FIN = 0x80;
const TEXT = 0x1;
const CONTINUATION = 0x0;
const SHORT = 125;
const MEDIUM = 126;
const LONG = 127;
const MAX_UINT16 = 0xffff;

/** 0: FIN, opcode; 1: length up to 125, or 126 and two bytes of length, or 127 and eight; then the payload. */
function frame(opcode: number, fin: number, payload: Buffer): Buffer {
  const { length } = payload;
  const headerBytes = length <= SHORT ? 2 : length <= MAX_UINT16 ? 4 : 10;
  const bytes = Buffer.allocUnsafe(headerBytes + length);
  bytes[0] = fin | opcode;
  if (length <= SHORT) bytes[1] = length;
  else if (length <= MAX_UINT16) {
    bytes[1] = MEDIUM;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = LONG;
    bytes.writeBigUInt64BE(BigInt(length), 2);
  }
  payload.copy(bytes, headerBytes);
  return bytes;
}

function webSocketFrames(payload: Buffer): Buffer[] {
  if (payload.length <= CHUNK_BYTES) return [frame(TEXT, FIN, payload)];
  const frames: Buffer[] = [];
  for (let at = 0; at < payload.length; at += CHUNK_BYTES) {
    const isLast = at + CHUNK_BYTES >= payload.length;
    frames.push(frame(at === 0 ? TEXT : CONTINUATION, isLast ? FIN : 0, payload.subarray(at, at + CHUNK_BYTES)));
  }
  return frames;
}

function slices(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) parts.push(bytes.subarray(at, at + CHUNK_BYTES));
  return parts;
}

/** Keeps a connection alive through proxies. */
export const SSE_COMMENT = Buffer.from(':\n\n');

/** Takes back the id of every event before: a browser that connects again sends none. */
export const SSE_FORGET_ID = Buffer.from('id:\n\n');

/** JSON has no line breaks, so it is one `data` line. `id` becomes the `Last-Event-ID` of a reconnect. */
function serverSentEvent(json: string, id: string | undefined): Buffer[] {
  return slices(Buffer.from(`${id === undefined ? '' : `id: ${id}\n`}data: ${json}\n\n`));
}

/** Pieces of a few bytes each as pieces of up to `CHUNK_BYTES`, in order and never cut. */
export function joined(pieces: readonly Buffer[]): Buffer[] {
  const [first] = pieces;
  if (first === undefined || pieces.length === 1) return [...pieces];
  const chunks: Buffer[] = [];
  let begin = 0;
  let bytes = 0;
  for (const [index, { length }] of pieces.entries()) {
    if (bytes + length > CHUNK_BYTES && index > begin) {
      chunks.push(Buffer.concat(pieces.slice(begin, index), bytes));
      begin = index;
      bytes = 0;
    }
    bytes += length;
  }
  chunks.push(Buffer.concat(pieces.slice(begin), bytes));
  return chunks;
}

/** One message to any number of viewers: its bytes are made once for each encoding that somebody has. */
export class Message {
  readonly #json: string;
  readonly #id: string | undefined;
  #frames: readonly Buffer[] | undefined;
  #event: readonly Buffer[] | undefined;
  #eventWithoutId: readonly Buffer[] | undefined;

  /** @param id where the feed is, in a message that says so */
  constructor(json: string, id?: string) {
    this.#json = json;
    this.#id = id;
  }

  /** In pieces between which nothing but control frames may come. */
  pieces(encoding: Encoding): readonly Buffer[] {
    if (encoding === 'websocket') return (this.#frames ??= webSocketFrames(Buffer.from(this.#json)));
    if (encoding === 'sse') return (this.#event ??= serverSentEvent(this.#json, this.#id));
    return (this.#eventWithoutId ??= serverSentEvent(this.#json, undefined));
  }
}
