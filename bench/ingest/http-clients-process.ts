/**
 * Clients of `POST /v1/records` in a process of their own: each on a connection that it keeps, one request on its way
 * at a time, all requests made before anything is sent. Written on the socket by hand, so that the clients cost little.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { FIRST_TS, avlRecord, imeisOf } from '../support/sample-frames.ts';
import { serve } from '../support/forked.ts';

export interface HttpClientsCommand {
  readonly port: number;
  readonly token: string;
  readonly clients: number;
  readonly requestsEach: number;
  readonly recordsPerRequest: number;
}

export interface HttpClientsAnswer {
  readonly requests: number;
  readonly seconds: number;
}

const NAMES = ['ignition', 'motion', 'gsm', 'gnss', 'battery level', 'power', 'battery', 'pdop', 'hdop', 'speed', 'odometer', 'operator'];

/** The same as a tracker's frame says, in the words of the API. */
function recordOf(device: number, n: number, deviceId: string): object {
  const { longitude, latitude, altitude, angle, satellites, speed, io } = avlRecord(device, n);
  const attributes = Object.fromEntries(io.map(([, , value], index) => [NAMES[index] ?? '', value]));
  const ts = FIRST_TS + n * 1_000;
  return { deviceId, ts, latitude, longitude, altitude, course: angle, satellites, speed, attributes };
}

function requestOf(body: string, token: string): Buffer {
  const head = `POST /v1/records HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.from(head + body);
}

class Client {
  readonly #socket: Socket;
  #received = '';

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  async run(requests: readonly Buffer[]): Promise<void> {
    for (const request of requests) {
      this.#socket.write(request);
      await this.#answer();
    }
    this.#socket.destroy();
  }

  async #answer(): Promise<void> {
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end !== -1) {
        const head = this.#received.slice(0, end);
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
        if (this.#received.length >= end + 4 + length) {
          if (!head.startsWith('HTTP/1.1 202')) throw new Error(this.#received);
          this.#received = this.#received.slice(end + 4 + length);
          return;
        }
      }
      const [chunk] = (await once(this.#socket, 'data')) as [Buffer];
      this.#received += chunk.toString('latin1');
    }
  }
}

async function send(command: HttpClientsCommand): Promise<HttpClientsAnswer> {
  const { port, token, clients, requestsEach, recordsPerRequest: size } = command;
  const prepared = await Promise.all(imeisOf(clients).map(async (deviceId, device) => {
    const requests = Array.from({ length: requestsEach }, (_, request) => {
      const records = Array.from({ length: size }, (_record, n) => recordOf(device, request * size + n, deviceId));
      return requestOf(JSON.stringify(records), token);
    });
    const socket = connect({ port, host: '127.0.0.1' }).setNoDelay(true);
    await once(socket, 'connect');
    return { client: new Client(socket), requests };
  }));
  const startedAt = performance.now();
  await Promise.all(prepared.map(({ client, requests }) => client.run(requests)));
  return { requests: clients * requestsEach, seconds: (performance.now() - startedAt) / 1_000 };
}

serve(send);
