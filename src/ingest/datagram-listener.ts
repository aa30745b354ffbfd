/**
 * UDP listeners. A datagram is a frame that says itself whose it is; like any frame it is answered after it is durable.
 * While the stream does not keep up datagrams are dropped unanswered: the tracker keeps them and sends them again.
 */
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import type { ListenerSetting } from '../config/listeners.ts';
import type { Protocol, Refused } from '../protocols/protocol.ts';
import type { ConnectionContext } from './connection.ts';
import type { Peer, Refusal } from './events.ts';
import type { Taken } from './intake.ts';
import type { Listener } from './listener.ts';

/** A protocol that has a datagram form. */
type DatagramProtocol = Protocol & { handleDatagram: NonNullable<Protocol['handleDatagram']> };

export function speaksDatagrams(protocol: Protocol): protocol is DatagramProtocol {
  return protocol.handleDatagram !== undefined;
}

class DatagramReceiver {
  readonly #socket: Socket;
  readonly #protocol: DatagramProtocol;
  readonly #context: ConnectionContext;

  constructor(socket: Socket, protocol: DatagramProtocol, context: ConnectionContext) {
    this.#socket = socket;
    this.#protocol = protocol;
    this.#context = context;
  }

  receive(datagram: Buffer, remote: RemoteInfo): void {
    const readAt = performance.now();
    const { events, publisher, intake } = this.#context;
    const sender: Peer = { protocol: this.#protocol.name, address: remote.address, deviceId: null };
    events.bytesRead(sender.protocol, datagram.length);
    if (publisher.congested) {
      this.#refuse(sender, { code: 'overloaded', message: 'the stream does not keep up' });
      return;
    }
    const result = intake.take(sender, null, datagram, (receivedAt) =>
      this.#protocol.handleDatagram(datagram, receivedAt).handled,
    );
    const peer = { ...sender, deviceId: result.session.deviceId };
    const refusal = this.#refusalOf(result);
    if (refusal !== null) this.#refuse(peer, refusal);
    else if (result.kind === 'taken') this.#keep(result, peer, remote, readAt);
  }

  #refusalOf(result: Taken | Refused): Refusal | null {
    if (result.kind === 'refused') return result;
    const { deviceId } = result.session;
    const code = deviceId === null ? null : this.#context.policy.refusalAtLogin(deviceId);
    return code === null ? null : { code, message: 'device not let in' };
  }

  #refuse(peer: Peer, refusal: Refusal): void {
    this.#context.events.frame(peer.protocol, 'refused');
    this.#context.events.refused(peer, refusal);
  }

  #keep({ entries, reply }: Taken, peer: Peer, remote: RemoteInfo, readAt: number): void {
    const { events, publisher } = this.#context;
    events.frame(peer.protocol, 'accepted');
    publisher.append(entries.appends).then(
      () => {
        events.kept(peer, entries);
        if (reply === null) return;
        this.#send(reply, remote);
        events.acknowledged(peer.protocol, performance.now() - readAt);
      },
      // Not appended before the shutdown: not answered, the tracker sends it again.
      () => undefined,
    );
  }

  /** Whoever sends from port 0 cannot be answered. */
  #send(reply: Buffer, { port, address }: RemoteInfo): void {
    if (port === 0) return;
    this.#socket.send(reply, port, address, (error) => {
      if (error !== null) this.#context.events.listenerFailed(this.#protocol.name, error);
    });
  }
}

/** Opens the port. @throws when it cannot be had. */
export async function listenForDatagrams(
  setting: ListenerSetting,
  protocol: DatagramProtocol,
  context: ConnectionContext,
): Promise<Listener> {
  const host = context.settings.INGEST_HOST;
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const receiver = new DatagramReceiver(socket, protocol, context);
  socket.bind(setting.port, host);
  await once(socket, 'listening');
  socket.on('error', (error) => { context.events.listenerFailed(protocol.name, error); });
  socket.on('message', (datagram, remote) => { receiver.receive(datagram, remote); });
  let isClosed = false;
  return {
    protocol: protocol.name,
    transport: 'udp',
    port: socket.address().port,
    stop: () => { socket.removeAllListeners('message'); },
    destroy: () => {
      if (isClosed) return;
      isClosed = true;
      // Node hands an answer to the system one turn after it was given: those just given leave first.
      setImmediate(() => { socket.close(); });
    },
  };
}
