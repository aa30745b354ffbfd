/** TCP and TLS listeners: take connections in, hold them to the limits, and hand each to a state machine of its own. */
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { ListenerSetting } from '../config/listeners.ts';
import type { Settings } from '../config/settings.ts';
import type { Protocol } from '../protocols/protocol.ts';
import type { ConnectionContext } from './connection.ts';
import { TrackerConnection } from './connection.ts';

/** A port that is open. */
export interface Listener {
  readonly protocol: string;
  readonly transport: ListenerSetting['transport'];
  readonly port: number;
  /** Takes no new connections. */
  stop(): void;
  /** Ends every connection that is still there. */
  destroy(): void;
}

const BACKLOG = 4_096;

function accept(socket: Socket, protocol: Protocol, context: ConnectionContext): void {
  const address = socket.remoteAddress ?? 'unknown';
  const refusal = context.gate.refusalOf(address);
  if (refusal === null) {
    new TrackerConnection(socket, protocol, context).start();
    return;
  }
  context.events.connectionRefused({ protocol: protocol.name, address, deviceId: null }, refusal);
  socket.destroy();
}

function createTls(settings: Settings, protocol: Protocol, context: ConnectionContext): Server {
  const { INGEST_TLS_CERT_FILE: cert, INGEST_TLS_KEY_FILE: key } = settings;
  if (cert === undefined || key === undefined) throw new Error('a +tls listener needs a certificate and a key');
  const server = createTlsServer(
    { cert: readFileSync(cert), key: readFileSync(key), allowHalfOpen: true, handshakeTimeout: settings.INGEST_LOGIN_TIMEOUT_MS },
    (socket) => { accept(socket, protocol, context); },
  );
  server.on('tlsClientError', (error, socket) => {
    context.events.tlsFailed({ protocol: protocol.name, address: socket.remoteAddress ?? 'unknown', deviceId: null }, error);
  });
  return server;
}

function createPlain(protocol: Protocol, context: ConnectionContext): Server {
  return createServer({ allowHalfOpen: true }, (socket) => { accept(socket, protocol, context); });
}

/** Opens the port. @throws when it cannot be had, or a certificate cannot be read. */
export async function listen(
  setting: ListenerSetting,
  protocol: Protocol,
  context: ConnectionContext,
): Promise<Listener> {
  const { settings } = context;
  const isTls = setting.transport === 'tls';
  const server = isTls ? createTls(settings, protocol, context) : createPlain(protocol, context);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined); // the 'close' that follows is what counts
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen({ host: settings.INGEST_HOST, port: setting.port, backlog: BACKLOG });
  await once(server, 'listening');
  return {
    protocol: protocol.name,
    transport: setting.transport,
    port: (server.address() as AddressInfo).port,
    stop: () => { server.close(); },
    destroy: () => { for (const socket of sockets) socket.destroy(); },
  };
}
