/**
 * One tracker of a benchmark: frames that are ready to send, one on its way at a time, as trackers do. What is no
 * acknowledgement of its records ends the run. It costs the machine as little as possible: all trackers of a process
 * read into the same memory, without a stream.
 */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { encodeLogin } from '../../src/protocols/teltonika/encode.ts';

const ACKNOWLEDGEMENT_BYTES = 4;
const RECEIVED = Buffer.alloc(64);

export class Tracker {
  readonly #imei: string;
  readonly #acknowledged: (tracker: Tracker, sentAt: number) => void;
  #socket: Socket | null = null;
  #frames: readonly Buffer[] = [];
  #recordsPerFrame = 0;
  #next = 0;
  #sentAt = 0;
  #isWaiting = false;
  /** Takes the answer to the login; null: it has come. */
  #login: PromiseWithResolvers<string> | null = null;

  constructor(imei: string, acknowledged: (tracker: Tracker, sentAt: number) => void) {
    this.#imei = imei;
    this.#acknowledged = acknowledged;
  }

  /** What it is to send from now on, each frame with so many records. */
  load(frames: readonly Buffer[], recordsPerFrame: number): void {
    this.#frames = frames;
    this.#recordsPerFrame = recordsPerFrame;
    this.#next = 0;
  }

  /** True while a frame waits for its acknowledgement. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Connects from `address` of this machine and logs in. @throws Error when it is not let in. */
  async connect(port: number, address: string): Promise<void> {
    const login = Promise.withResolvers<string>();
    this.#login = login;
    const onread = { buffer: RECEIVED, callback: (bytes: number) => this.#read(bytes) };
    const socket = connect({ port, host: '127.0.0.1', localAddress: address, onread });
    this.#socket = socket;
    socket.setNoDelay(true).write(encodeLogin(this.#imei));
    socket.on('error', (error) => {
      if (this.#login === null) throw error;
      login.reject(error);
    });
    socket.on('close', () => {
      if (this.#isWaiting) throw new Error(`${this.#imei} was cut off before its acknowledgement`);
      login.reject(new Error(`${this.#imei} was cut off before its login`));
    });
    const answer = await login.promise;
    if (answer !== '01') throw new Error(`${this.#imei} was answered ${answer}`);
  }

  /** Sends the next frame; false when there is none left. */
  send(now: number): boolean {
    const frame = this.#frames[this.#next];
    if (frame === undefined) return false;
    this.#next += 1;
    this.#sentAt = now;
    this.#isWaiting = true;
    this.#socket?.write(frame);
    return true;
  }

  hangUp(): void {
    this.#isWaiting = false;
    this.#socket?.destroy();
  }

  /** So many bytes have been read. @returns that more are wanted */
  #read(bytes: number): boolean {
    if (this.#login === null) this.#receive(bytes);
    else this.#login.resolve(RECEIVED.toString('hex', 0, bytes));
    this.#login = null;
    return true;
  }

  #receive(bytes: number): void {
    const count = bytes === ACKNOWLEDGEMENT_BYTES ? RECEIVED.readUInt32BE(0) : Number.NaN;
    if (count !== this.#recordsPerFrame) throw new Error(`${this.#imei} was answered ${RECEIVED.toString('hex', 0, bytes)}`);
    this.#isWaiting = false;
    this.#acknowledged(this, this.#sentAt);
  }
}
