import type { Duplex } from 'node:stream';
import { duplexPair } from 'node:stream';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import type { ConnectionContext } from '../../src/ingest/connection.ts';
import { TrackerConnection } from '../../src/ingest/connection.ts';
import type { DevicePolicy } from '../../src/ingest/device-policy.ts';
import { createIngestEvents } from '../../src/ingest/events.ts';
import { Gate } from '../../src/ingest/gate.ts';
import { Intake } from '../../src/ingest/intake.ts';
import { PoisonFrames } from '../../src/ingest/poison-frames.ts';
import type { Publisher } from '../../src/ingest/publisher.ts';
import { NotAppendedError } from '../../src/ingest/publisher.ts';
import type { Logger } from '../../src/observability/logger.ts';
import { createIngestMetrics } from '../../src/observability/metrics/ingest.ts';
import { Registry } from '../../src/observability/metrics/registry.ts';
import { encodeLogin } from '../../src/protocols/teltonika/encode.ts';
import { teltonika } from '../../src/protocols/teltonika/index.ts';
import { eventually } from '../support/eventually.ts';
import { dataFrame, newImei } from './tracker.ts';

/** The stream, under the control of the test. */
class Stream {
  congested = false;
  readonly appends: PromiseWithResolvers<undefined>[] = [];

  append(): Promise<undefined> {
    const append = Promise.withResolvers<undefined>();
    this.appends.push(append);
    return append.promise;
  }
}

let gate: Gate;
let stream: Stream;
let connection: TrackerConnection;
let socket: Duplex;
let tracker: Duplex;
let received: Buffer;

beforeEach(async () => {
  const settings = loadSettings({});
  gate = new Gate(settings);
  stream = new Stream();
  const log = { debug: vi.fn(), warn: vi.fn(), error: vi.fn() } as unknown as Logger;
  const events = createIngestEvents(createIngestMetrics(new Registry()), log);
  const intake = new Intake({ settings, poison: new PoisonFrames(3), events });
  const policy = { refusalAtLogin: () => null } as unknown as DevicePolicy;
  const publisher = stream as unknown as Publisher;
  const context: ConnectionContext = { settings, intake, publisher, policy, gate, events };
  [socket, tracker] = duplexPair({ allowHalfOpen: true });
  received = Buffer.alloc(0);
  tracker.on('data', (bytes: Buffer) => { received = Buffer.concat([received, bytes]); });
  tracker.on('error', () => undefined);
  Object.assign(socket, { setNoDelay: () => socket });
  connection = new TrackerConnection(socket as unknown as Socket, teltonika, context);
  connection.start();
  tracker.write(encodeLogin(newImei()));
  await eventually(() => received.length === 1);
});

afterEach(() => {
  socket.destroy();
  gate.stop();
});

const inMs = (ms: number): number => performance.now() + ms;

it('waits half a minute for frames under way when it is to end, and no longer', async () => {
  tracker.write(dataFrame(2));
  await eventually(() => stream.appends.length === 1);
  connection.close('superseded');
  connection.checkTimeouts(inMs(29_000));
  expect(socket.destroyed).toBe(false);
  connection.checkTimeouts(inMs(31_000));
  expect(socket.destroyed).toBe(true);
  // Durable after all: kept, and nobody is there to be told.
  stream.appends[0]!.resolve(undefined);
  expect(received).toHaveLength(1);
});

it('gives the peer two seconds to end its side', async () => {
  tracker.write(dataFrame(2));
  await eventually(() => stream.appends.length === 1);
  connection.close('shutdown');
  stream.appends[0]!.resolve(undefined);
  await eventually(() => received.length === 5);
  connection.checkTimeouts(inMs(1_900));
  expect(socket.destroyed).toBe(false);
  connection.checkTimeouts(inMs(2_100));
  expect(socket.destroyed).toBe(true);
});

it('ends without a reply when the append is given up', async () => {
  tracker.write(dataFrame(2));
  await eventually(() => stream.appends.length === 1);
  stream.appends[0]!.reject(new NotAppendedError('not appended before the shutdown'));
  await eventually(() => socket.destroyed);
  expect(received).toHaveLength(1);
});

it('acknowledges in the order of the frames when the second is durable before the first', async () => {
  tracker.write(Buffer.concat([dataFrame(7), dataFrame(9)]));
  await eventually(() => stream.appends.length === 2);
  stream.appends[1]!.resolve(undefined);
  await stream.appends[1]!.promise;
  expect(received).toHaveLength(1);
  stream.appends[0]!.resolve(undefined);
  await eventually(() => received.length === 9);
  expect(received.toString('hex')).toBe('010000000700000009');
});

it('is not read from 16 frames under way on, and again below', async () => {
  for (let frame = 0; frame < 20; frame += 1) {
    tracker.write(dataFrame(1));
    await eventually(() => stream.appends.length === frame + 1 || socket.isPaused());
  }
  expect(stream.appends).toHaveLength(16);
  expect(socket.isPaused()).toBe(true);
  stream.appends[0]!.resolve(undefined);
  await eventually(() => stream.appends.length > 16);
});

it('takes no frame after it has begun to end, and answers none of them', async () => {
  connection.close('shutdown');
  tracker.write(dataFrame(1));
  tracker.end();
  await eventually(() => socket.destroyed);
  expect(stream.appends).toEqual([]);
  expect(received).toHaveLength(1);
});
