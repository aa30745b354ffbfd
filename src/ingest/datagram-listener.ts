/**
 * UDP listeners. A datagram is a frame that says itself whose it is; it is answered after it is durable, like any frame.
 * While the stream does not keep up datagrams are dropped unanswered: the tracker keeps them and sends them again.
 */
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import type { ListenerSetting } from '../config/listeners.ts';
import type { HandledDatagram, Protocol } from '../protocols/protocol.ts';
import { errorMessage } from '../shared/errors.ts';
import type { ReasonCode } from '../shared/reasons.ts';
import type { ConnectionContext } from './connection.ts';
import { frameEntries } from './entries.ts';
import type { Peer } from './events.ts';
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
  /** A datagram has no connection, so the port logs each kind of refusal once. */
  readonly #logged = new Set<ReasonCode>();

  constructor(socket: Socket, protocol: DatagramProtocol, context: ConnectionContext) {
    this.#socket = socket;
    this.#protocol = protocol;
    this.#context = context;
  }

  receive(datagram: Buffer, remote: RemoteInfo): void {
    const readAt = performance.now();
    const { events, publisher } = this.#context;
    const name = this.#protocol.name;
    events.bytesRead(name, datagram.length);
    const peer: Peer = { protocol: name, address: remote.address, deviceId: null };
    if (publisher.congested) this.#refuse(peer, 'overloaded', 'the stream does not keep up');
    else this.#handle(datagram, remote, peer, readAt);
  }

  #refuse(peer: Peer, code: ReasonCode, message: string): void {
    this.#context.events.frame(peer.protocol, 'refused');
    this.#context.events.refused(peer, { code, message }, this.#logged);
  }

  /** The protocol is pure and total; if it throws all the same, the datagram is kept and not answered. */
  #decode(datagram: Buffer, sender: Peer, receivedAt: number): HandledDatagram {
    try {
      return this.#protocol.handleDatagram(datagram, receivedAt);
    } catch (error) {
      this.#context.events.decoderThrew(sender, error);
      const rejected = [{ code: 'internal_error' as const, field: '', message: errorMessage(error), raw: datagram }];
      const session = { deviceId: null };
      return { deviceId: null, handled: { kind: 'accepted', session, records: [], rejected, reply: null, denial: null } };
    }
  }

  #handle(datagram: Buffer, remote: RemoteInfo, sender: Peer, readAt: number): void {
    const receivedAt = Date.now();
    const { deviceId, handled } = this.#decode(datagram, sender, receivedAt);
    const peer: Peer = { ...sender, deviceId };
    const { policy, settings, events } = this.#context;
    const refusal = deviceId === null ? null : policy.refusalOf(deviceId);
    if (handled.kind === 'refused' || refusal !== null) {
      const code = handled.kind === 'refused' ? handled.code : refusal;
      this.#refuse(peer, code ?? 'unknown_device', handled.kind === 'refused' ? handled.message : 'device not let in');
      return;
    }
    events.frame(peer.protocol, 'accepted');
    const { STREAM_PARTITIONS: partitions, MAX_FUTURE_MS: maxFutureMs } = settings;
    const context = { protocol: peer.protocol, deviceId, receivedAt, frame: datagram, partitions, maxFutureMs };
    const entries = frameEntries(handled, context);
    const answer = (): void => {
      events.recordsKept(peer.protocol, entries.recordCount);
      events.deadLettered(peer, entries.deadLetters, this.#logged);
      if (handled.reply !== null) this.#socket.send(handled.reply, remote.port, remote.address);
      events.acknowledged(peer.protocol, performance.now() - readAt);
    };
    // Not appended before the shutdown: not answered, the tracker sends it again.
    this.#context.publisher.append(entries.appends).then(answer, () => undefined);
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
  socket.on('message', (datagram, remote) => { receiver.receive(datagram, remote); });
  let closed = false;
  return {
    protocol: protocol.name,
    transport: 'udp',
    port: socket.address().port,
    stop: () => { socket.removeAllListeners('message'); },
    destroy: () => {
      if (!closed) socket.close();
      closed = true;
    },
  };
}
