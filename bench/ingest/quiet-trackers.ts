/** Fifty trackers that send a record a few times a second, and how long each waits for its acknowledgement. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { encodeAvlFrame, encodeLogin } from '../../src/protocols/teltonika/encode.ts';
import { fleetImeis } from '../../src/simulator/imei.ts';
import { pause } from '../../src/shared/wait.ts';

const COUNT = 50;
const INTERVAL_MS = 100;
const FIRST_TS = Date.UTC(2026, 0, 1);

const never = new AbortController().signal;

function recordFrame(ts: number): Buffer {
  return encodeAvlFrame([{
    ts, priority: 0, longitude: 25.2797, latitude: 54.6872, altitude: 112, angle: 214, satellites: 12, speed: 48,
    eventId: 0, io: [],
  }], '8');
}

export class QuietTrackers {
  static readonly imeis: readonly string[] = fleetImeis(1, COUNT, '35630700');

  readonly #sockets: readonly Socket[];
  #isEnding = false;
  #latencies: number[] = [];
  #running: Promise<unknown> = Promise.resolve();

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
  }

  static async connect(port: number): Promise<QuietTrackers> {
    const sockets = await Promise.all(QuietTrackers.imeis.map(async (imei) => {
      const socket = connect(port, '127.0.0.1');
      socket.setNoDelay(true).write(encodeLogin(imei));
      await once(socket, 'data');
      return socket;
    }));
    return new QuietTrackers(sockets);
  }

  start(): void {
    this.#running = Promise.all(this.#sockets.map((socket) => this.#run(socket)));
  }

  /** Milliseconds from sending to the acknowledgement, sorted, of all frames since the last call. */
  take(): number[] {
    const taken = this.#latencies.sort((a, b) => a - b);
    this.#latencies = [];
    return taken;
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    await this.#running;
    for (const socket of this.#sockets) socket.destroy();
  }

  async #run(socket: Socket): Promise<void> {
    for (let ts = FIRST_TS; !this.#isEnding; ts += 1_000) {
      await pause(INTERVAL_MS * (0.5 + Math.random()), never);
      const sentAt = performance.now();
      socket.write(recordFrame(ts));
      await once(socket, 'data');
      this.#latencies.push(performance.now() - sentAt);
    }
  }
}
