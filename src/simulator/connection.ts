/**
 * One TCP connection of a tracker: logs in, writes frames and reads the answers. It knows the wire and nothing of
 * records. `closed` comes once, when the server or the network ended the connection; after it nothing else comes.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { encodeLogin } from '../protocols/teltonika/encode.ts';
import { errorMessage } from '../shared/errors.ts';

export interface ConnectionEvents {
  /** The server answered the login with 01. */
  accepted(): void;
  /** The server answered the login with 00, or with a byte that is no answer. */
  refused(answer: number): void;
  /** Number of records accepted, as the server says. */
  acknowledged(records: number): void;
  /** @param reason what went wrong; null where one side simply ended the connection. */
  closed(reason: string | null): void;
}

export interface Connection {
  /** Writes a frame; `onWritten` is called when its last byte has been handed over. */
  send(bytes: Buffer, onWritten?: () => void): void;
  /** The same, a packet for each byte. */
  sendSlowly(bytes: Buffer, onWritten: () => void): void;
  /** Ends the connection after what was written, without waiting for an answer; nothing more is reported. */
  cut(): void;
  /** Ends the connection at once; nothing more is reported. */
  drop(): void;
}

/** Opens a connection for the tracker with this IMEI. */
export type Connect = (imei: string, events: ConnectionEvents) => Connection;

const ACCEPTED = 1;
const ACKNOWLEDGEMENT_BYTES = 4;
/** Answers are 1 or 4 bytes; a buffer per socket that is used again spares the collector 64 KiB a read. */
const READ_BUFFER_BYTES = 64;
const BYTE_INTERVAL_MS = 1;
/** A server that does not read any more cannot keep a cut connection open for longer. */
const LINGER_MS = 5_000;

/** A `Connect` that dials a Teltonika listener. */
export function dialer(host: string, port: number): Connect {
  return (imei, events) => {
    const reader = new AnswerReader(events);
    const socket = connect({
      host, port, noDelay: true,
      onread: {
        buffer: Buffer.alloc(READ_BUFFER_BYTES),
        callback: (length, buffer) => {
          reader.read(buffer as Buffer, length);
          return true;
        },
      },
    });
    let reason: string | null = null;
    socket.on('connect', () => socket.write(encodeLogin(imei)));
    socket.on('error', (error) => {
      reason = connectionError(error);
    });
    socket.on('close', () => {
      if (reader.stopped) return;
      reader.stop();
      events.closed(reason);
    });
    return new SocketConnection(socket, reader);
  };
}

/** Node reports a host with several addresses as an AggregateError, whose own message is empty. */
function connectionError(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(errorMessage).join('; ') : error.message;
}

class SocketConnection implements Connection {
  readonly #socket: Socket;
  readonly #reader: AnswerReader;

  constructor(socket: Socket, reader: AnswerReader) {
    this.#socket = socket;
    this.#reader = reader;
  }

  send(bytes: Buffer, onWritten?: () => void): void {
    this.#socket.write(bytes);
    // What the kernel has not taken yet waits in the stream: then the callback of an empty write tells when it has.
    if (onWritten === undefined) return;
    if (this.#socket.writableLength === 0) onWritten();
    else this.#socket.write('', () => { onWritten(); });
  }

  sendSlowly(bytes: Buffer, onWritten: () => void): void {
    const step = (offset: number): void => {
      if (this.#socket.destroyed) return;
      if (offset === bytes.length - 1) {
        this.send(bytes.subarray(offset), onWritten);
        return;
      }
      this.#socket.write(bytes.subarray(offset, offset + 1));
      setTimeout(step, BYTE_INTERVAL_MS, offset + 1);
    };
    step(0);
  }

  cut(): void {
    this.#reader.stop();
    this.#socket.setTimeout(LINGER_MS, () => this.#socket.destroy());
    this.#socket.destroySoon();
  }

  drop(): void {
    this.#reader.stop();
    this.#socket.destroy();
  }
}

/** Cuts what the server sends into answers: one byte to the login, then four to each frame. */
class AnswerReader {
  readonly #events: ConnectionEvents;
  #loggedIn = false;
  #stopped = false;
  #value = 0;
  #bytes = 0;

  constructor(events: ConnectionEvents) {
    this.#events = events;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Nothing is reported any more. */
  stop(): void {
    this.#stopped = true;
  }

  read(buffer: Buffer, length: number): void {
    for (let index = 0; index < length && !this.#stopped; index += 1) this.#take(buffer[index] ?? 0);
  }

  #take(byte: number): void {
    if (!this.#loggedIn) {
      this.#loggedIn = byte === ACCEPTED;
      if (this.#loggedIn) this.#events.accepted();
      else this.#events.refused(byte);
      return;
    }
    this.#value = this.#value * 256 + byte;
    this.#bytes += 1;
    if (this.#bytes < ACKNOWLEDGEMENT_BYTES) return;
    const records = this.#value;
    this.#value = 0;
    this.#bytes = 0;
    this.#events.acknowledged(records);
  }
}
