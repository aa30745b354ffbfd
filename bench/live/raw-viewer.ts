/**
 * A viewer that costs the machine as little as possible: it speaks WebSocket over a bare socket, looks at the first
 * bytes of each message, and parses none. What it measures is the server, not itself.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createConnection } from 'node:net';

const MASK = Buffer.alloc(4);
/** `{"type":"pos…`, and not `pong`. */
const TYPE_AT = '{"type":"'.length;
const P = 0x70;
const S = 0x73;
const RECEIVED_AT = Buffer.from('"receivedAt":');
const EPOCH_DIGITS = 13;

/** A masked text frame (RFC 6455, section 5.2); a mask of zeros leaves the payload as it is. */
function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const header = length <= 125 ? Buffer.from([0x81, 0x80 | length]) : Buffer.alloc(length <= 0xffff ? 4 : 10);
  if (length > 125) {
    header[0] = 0x81;
    header[1] = 0x80 | (length <= 0xffff ? 126 : 127);
    if (length <= 0xffff) header.writeUInt16BE(length, 2);
    else header.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([header, MASK, payload]);
}

/** Header and payload length of the frame at `at`; null: not all of the header is there. */
function frameAt(bytes: Buffer, at: number): { readonly payloadAt: number; readonly end: number } | null {
  if (bytes.length < at + 2) return null;
  const short = (bytes[at + 1] as number) & 0x7f;
  const headerBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < at + headerBytes) return null;
  let length = short;
  if (short === 126) length = bytes.readUInt16BE(at + 2);
  else if (short === 127) length = Number(bytes.readBigUInt64BE(at + 2));
  return { payloadAt: at + headerBytes, end: at + headerBytes + length };
}

export interface RawViewerEvents {
  position(payload: Buffer): void;
  /** Any other text message, or the first fragment of one. */
  message(payload: Buffer): void;
  closed(): void;
}

export class RawViewer {
  readonly socket: Socket;
  readonly #events: RawViewerEvents;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, events: RawViewerEvents) {
    this.socket = socket;
    this.#events = events;
    socket.on('data', (chunk: Buffer) => { this.#take(chunk); });
    socket.on('error', () => undefined);
    socket.on('close', () => { events.closed(); });
  }

  /** Resolves after the upgrade. @throws Error with the first line of an answer that refuses it */
  static async connect(url: string, events: RawViewerEvents): Promise<RawViewer> {
    const { hostname, port, pathname } = new URL(url);
    const socket = createConnection(Number(port), hostname);
    socket.setNoDelay(true);
    await once(socket, 'connect');
    socket.write(
      `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    const [head] = (await once(socket, 'data')) as [Buffer];
    const [status = ''] = head.toString('latin1').split('\r\n', 1);
    if (!status.includes(' 101 ')) throw new Error(status);
    const viewer = new RawViewer(socket, events);
    const end = head.indexOf('\r\n\r\n') + 4;
    if (end < head.length) viewer.#take(head.subarray(end));
    return viewer;
  }

  say(message: object): void {
    this.socket.write(clientFrame(JSON.stringify(message)));
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (let frame = frameAt(bytes, at); frame !== null && frame.end <= bytes.length; frame = frameAt(bytes, at)) {
      this.#frame((bytes[at] as number) & 0x0f, bytes.subarray(frame.payloadAt, frame.end));
      at = frame.end;
    }
    // A copy, so that the chunk as a whole is not kept for the rest of it.
    this.#rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
  }

  #pong(payload: Buffer): void {
    this.socket.write(Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length]), MASK, payload]));
  }

  #frame(opcode: number, payload: Buffer): void {
    if (opcode === 0x9) this.#pong(payload);
    else if (opcode !== 0x1) return;
    else if (payload[TYPE_AT] === P && payload[TYPE_AT + 2] === S) this.#events.position(payload);
    else this.#events.message(payload);
  }
}

/** When ingest read the position in a message, epoch milliseconds. */
export function receivedAtOf(payload: Buffer): number {
  const digits = payload.indexOf(RECEIVED_AT) + RECEIVED_AT.length;
  return Number(payload.toString('latin1', digits, digits + EPOCH_DIGITS));
}
