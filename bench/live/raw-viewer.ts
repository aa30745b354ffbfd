/**
 * A viewer that costs the machine as little as possible: it speaks WebSocket over a bare socket, reads into memory that
 * all viewers share, looks at the first bytes of each message, and parses none. What it measures is the server, not
 * itself.
 */
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

/** How many bytes the frame at `at` has before its payload. */
function headerBytes(bytes: Buffer, at: number): number {
  const short = (bytes[at + 1] as number) & 0x7f;
  return short === 126 ? 4 : short === 127 ? 10 : 2;
}

/** Where the frame at `at` ends; Infinity: not all of its header is there. */
function frameEnd(bytes: Buffer, at: number): number {
  if (bytes.length < at + 2) return Infinity;
  const header = headerBytes(bytes, at);
  if (bytes.length < at + header) return Infinity;
  if (header === 2) return at + header + ((bytes[at + 1] as number) & 0x7f);
  return at + header + (header === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2)));
}

/** Bytes that are handed out are another viewer's as soon as the call has returned. */
export interface RawViewerEvents {
  /** One is at `at` of these bytes. */
  position(bytes: Buffer, at: number): void;
  /** Any other text message, or the first fragment of one. */
  message(payload: Buffer): void;
  closed(): void;
}

/** All viewers of a process read into this: there is no buffer for each read, and no stream around it. */
const RECEIVED = Buffer.alloc(64 * 1024);
const NOTHING = Buffer.alloc(0);

export class RawViewer {
  readonly socket: Socket;
  readonly #events: RawViewerEvents;
  readonly #upgraded = Promise.withResolvers<undefined>();
  #isOpen = false;
  #rest: Buffer = NOTHING;

  private constructor(url: string, events: RawViewerEvents) {
    const { hostname: host, port } = new URL(url);
    const callback = (length: number): boolean => {
      this.#take(RECEIVED.subarray(0, length));
      return true;
    };
    this.#events = events;
    const onread = { buffer: RECEIVED, callback };
    this.socket = createConnection({ host, port: Number(port), noDelay: true, onread });
    this.socket.on('error', (error) => { this.#upgraded.reject(error); });
    this.socket.on('close', () => {
      this.#upgraded.reject(new Error('closed before the upgrade'));
      events.closed();
    });
  }

  /** Resolves after the upgrade. @throws Error of the connection, or with the status line of a refusal */
  static async connect(url: string, events: RawViewerEvents): Promise<RawViewer> {
    const { host, pathname } = new URL(url);
    const viewer = new RawViewer(url, events);
    viewer.socket.write(
      `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    await viewer.#upgraded.promise;
    return viewer;
  }

  say(message: object): void {
    this.socket.write(clientFrame(JSON.stringify(message)));
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = this.#isOpen ? 0 : this.#upgrade(bytes);
    for (let end = frameEnd(bytes, at); this.#isOpen && end <= bytes.length; end = frameEnd(bytes, at)) {
      this.#frame(bytes, at, end);
      at = end;
    }
    this.#rest = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
  }

  /** @returns where the first frame is, once all of the answer is there */
  #upgrade(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return 0;
    const [status = ''] = bytes.toString('latin1', 0, end).split('\r\n', 1);
    this.#isOpen = status.includes(' 101 ');
    if (this.#isOpen) this.#upgraded.resolve(undefined);
    else this.#upgraded.reject(new Error(status));
    return end + 4;
  }

  #pong(payload: Buffer): void {
    this.socket.write(Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length]), MASK, payload]));
  }

  #frame(bytes: Buffer, at: number, end: number): void {
    const opcode = (bytes[at] as number) & 0x0f;
    const payloadAt = at + headerBytes(bytes, at);
    const isPosition = bytes[payloadAt + TYPE_AT] === P && bytes[payloadAt + TYPE_AT + 2] === S;
    if (opcode === 0x1 && isPosition) this.#events.position(bytes, payloadAt);
    else if (opcode === 0x1) this.#events.message(bytes.subarray(payloadAt, end));
    else if (opcode === 0x9) this.#pong(bytes.subarray(payloadAt, end));
  }
}

/** When ingest read the position in the message at `at`, epoch milliseconds. */
export function receivedAtOf(bytes: Buffer, at: number): number {
  const digits = bytes.indexOf(RECEIVED_AT, at) + RECEIVED_AT.length;
  return Number(bytes.toString('latin1', digits, digits + EPOCH_DIGITS));
}
