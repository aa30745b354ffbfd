/** A small tracker: a socket whose answers can be waited for. It ends with the test. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectPlain } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import type { AvlRecord } from '../../src/protocols/teltonika/encode.ts';
import { encodeAvlFrame, encodeLogin } from '../../src/protocols/teltonika/encode.ts';
import { avlRecord } from '../protocols/teltonika/frames.ts';

const PATIENCE_MS = 10_000;

export class Tracker {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #taken = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => { this.#received = Buffer.concat([this.#received, bytes]); });
    // A server that closes while we send is not a failure of the test.
    socket.on('error', () => undefined);
    onTestFinished(() => { socket.destroy(); });
  }

  /** Every byte that the server has sent so far. */
  get received(): Buffer {
    return this.#received;
  }

  get isClosed(): boolean {
    return this.socket.closed;
  }

  send(...bytes: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  /** The next `count` bytes that the server sends. */
  async read(count: number): Promise<Buffer> {
    const end = this.#taken + count;
    while (this.#received.length < end) {
      if (this.isClosed) throw new Error(`closed after ${this.#received.length - this.#taken} of ${count} bytes`);
      await this.#somethingHappens();
    }
    const bytes = this.#received.subarray(this.#taken, end);
    this.#taken = end;
    return bytes;
  }

  async #somethingHappens(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const happened = (): void => { resolve(undefined); };
    const patience = setTimeout(() => { reject(new Error(`no answer in ${PATIENCE_MS} ms`)); }, PATIENCE_MS);
    this.socket.on('data', happened).on('close', happened);
    await promise.finally(() => {
      clearTimeout(patience);
      this.socket.off('data', happened).off('close', happened);
    });
  }

  /** Resolves when the server has ended the connection. */
  async closed(): Promise<void> {
    if (!this.isClosed) await once(this.socket, 'close', { signal: AbortSignal.timeout(PATIENCE_MS) });
  }

  /** Teltonika's login, accepted. */
  async logIn(imei: string): Promise<this> {
    this.send(encodeLogin(imei));
    expect(await this.read(1)).toEqual(Buffer.from([1]));
    return this;
  }

  /** Teltonika's answer to a data frame: so many records are accepted. */
  async acknowledgement(): Promise<number> {
    return (await this.read(4)).readUInt32BE();
  }
}

export async function connectTracker(port: number, host = '127.0.0.1', options = {}): Promise<Tracker> {
  const socket = connectPlain({ ...options, port, host, localAddress: host });
  await once(socket, 'connect');
  return new Tracker(socket);
}

/** A tracker that has logged in. */
export async function loggedIn(port: number, imei: string): Promise<Tracker> {
  return (await connectTracker(port)).logIn(imei);
}

let serial = 0;

/** An IMEI that no other test of this file has. */
export function newImei(): string {
  serial += 1;
  return `35630704${String(serial).padStart(7, '0')}`;
}

/** `count` ordinary records, a second apart from `ts` on. */
export function recordsFrom(ts: number, count: number, changes: Partial<AvlRecord> = {}): AvlRecord[] {
  return Array.from({ length: count }, (_, index) => avlRecord([], { ts: ts + 1000 * index, ...changes }));
}

/** A codec 8 frame of ordinary records. */
export function dataFrame(count = 1, ts = 1_690_000_000_000): Buffer {
  return encodeAvlFrame(recordsFrom(ts, count), '8');
}
