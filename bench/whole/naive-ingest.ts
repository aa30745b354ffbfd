/**
 * The server of trackers that everybody writes first, with Odograph's own framing and decoding: each record is JSON and
 * an XADD of its own, awaited; then the frame is acknowledged.
 */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { teltonika } from '../../src/protocols/teltonika/index.ts';
import type { TelemetryRecord } from '../../src/shared/model.ts';
import { serve } from '../support/forked.ts';

export interface NaiveIngestCommand {
  readonly redisUrl: string;
}

export interface NaiveIngestAnswer {
  readonly port: number;
}

let redis: Redis;

function json(deviceId: string | null, { attributes, ...fields }: TelemetryRecord): string {
  return JSON.stringify({ deviceId, receivedAt: Date.now(), ...fields, attributes: Object.fromEntries(attributes) });
}

async function serveTracker(socket: Socket): Promise<void> {
  const framer = teltonika.createFramer(teltonika.maxFrameBytes);
  let session = teltonika.open();
  for await (const chunk of socket) {
    for (const event of framer.push(chunk as Buffer)) {
      if (event.kind !== 'frame') throw new Error(`not a frame: ${event.code}`);
      const handled = teltonika.handle(session, event.bytes, Date.now());
      if (handled.kind !== 'accepted') throw new Error(`refused: ${handled.code}`);
      ({ session } = handled);
      for (const record of handled.records) await redis.xadd('naive', '*', 'record', json(session.deviceId, record));
      if (handled.reply !== null) socket.write(handled.reply);
    }
  }
}

const server = createServer((socket) => {
  socket.setNoDelay(true);
  void serveTracker(socket);
});

serve(async ({ redisUrl }: NaiveIngestCommand): Promise<NaiveIngestAnswer> => {
  redis = new Redis(redisUrl);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port };
});
