/**
 * TCP and TLS listeners: take connections in, hold them to the limits, and hand each to a state machine of its own. A
 * port that is open goes on whatever its connections do.
 */
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import type { AddressInfo, DropArgument, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';
import type { ListenerSetting } from '../config/listeners.ts';
import type { Settings } from '../config/settings.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { errorMessage } from '../shared/errors.ts';
import type { ConnectionContext } from './connection.ts';
import { TrackerConnection } from './connection.ts';
import type { Peer } from './events.ts';

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

interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
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

/** @throws Error that names the settings, where a file cannot be read or is not what it has to be. */
function certificateOf({ INGEST_TLS_CERT_FILE: certFile, INGEST_TLS_KEY_FILE: keyFile }: Settings): Certificate {
  if (certFile === undefined || keyFile === undefined) throw new Error('a +tls listener needs a certificate and a key');
  try {
    const certificate = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
    createSecureContext(certificate);
    return certificate;
  } catch (error) {
    const files = `INGEST_TLS_CERT_FILE ${certFile} and INGEST_TLS_KEY_FILE ${keyFile}`;
    throw new Error(`${files} cannot be used: ${errorMessage(error)}`, { cause: error });
  }
}

function createTls(settings: Settings, protocol: Protocol, context: ConnectionContext): Server {
  const { INGEST_LOGIN_TIMEOUT_MS: handshakeTimeout, INGEST_MAX_CONNECTIONS: maxConnections } = settings;
  const peerAt = (address = 'unknown'): Peer => ({ protocol: protocol.name, address, deviceId: null });
  const server = createTlsServer(
    { ...certificateOf(settings), allowHalfOpen: true, handshakeTimeout },
    (socket) => { accept(socket, protocol, context); },
  );
  // The gate sees a connection only after its handshake.
  server.maxConnections = maxConnections;
  server.on('drop', (dropped?: DropArgument) => {
    context.events.connectionRefused(peerAt(dropped?.remoteAddress), `${maxConnections} connections are open or in their handshake, as many as INGEST_MAX_CONNECTIONS allows`);
  });
  server.on('tlsClientError', (error, socket) => {
    context.events.tlsFailed(peerAt(socket.remoteAddress), error);
    // Node leaves a connection open whose handshake has timed out.
    socket.destroy();
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
  server.on('error', (error) => { context.events.listenerFailed(protocol.name, error); });
  return {
    protocol: protocol.name,
    transport: setting.transport,
    port: (server.address() as AddressInfo).port,
    stop: () => { server.close(); },
    destroy: () => { for (const socket of sockets) socket.destroy(); },
  };
}
