/** A server of Teltonika trackers over TCP that keeps in memory what it acknowledges, for tests without Odograph. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { teltonika } from '../../src/protocols/teltonika/index.ts';
import type { Handled, Session } from '../../src/protocols/protocol.ts';
import type { TelemetryRecord } from '../../src/shared/model.ts';

export interface Sink {
  readonly port: number;
  /** What was acknowledged, in order, by IMEI: a record for each time that it came. */
  readonly records: ReadonlyMap<string, readonly TelemetryRecord[]>;
  /** Connections so far, and frames that could not be read. */
  readonly seen: { connections: number; logins: number; brokenFrames: number };
  stop(): Promise<void>;
}

export interface SinkOptions {
  /** Answers the login with 00. */
  readonly refuse?: boolean;
  /** Reads and says nothing. */
  readonly silent?: boolean;
}

export async function startSink(options: SinkOptions = {}): Promise<Sink> {
  const records = new Map<string, TelemetryRecord[]>();
  const seen = { connections: 0, logins: 0, brokenFrames: 0 };
  const sockets = new Set<Socket>();
  const keep = (session: Session, handled: Handled): void => {
    if (handled.kind !== 'accepted') return;
    if (session.deviceId === null) seen.logins += 1;
    else records.set(session.deviceId, [...(records.get(session.deviceId) ?? []), ...handled.records]);
  };
  const server = createServer((socket) => {
    seen.connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    serve(socket, options, keep, seen);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    records,
    seen,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function serve(
  socket: Socket, options: SinkOptions, keep: (session: Session, handled: Handled) => void, seen: Sink['seen'],
): void {
  const framer = teltonika.createFramer();
  let session = teltonika.open();
  socket.on('data', (chunk) => {
    for (const event of framer.push(chunk)) {
      if (event.kind !== 'frame') {
        seen.brokenFrames += 1;
        socket.destroy();
        return;
      }
      const handled = teltonika.handle(session, event.bytes, Date.now());
      keep(session, handled);
      session = handled.session;
      if (handled.kind !== 'accepted' || options.silent === true) continue;
      if (options.refuse === true) socket.end(handled.denial ?? Buffer.from([0]));
      else if (handled.reply !== null) socket.write(handled.reply);
    }
  });
}
