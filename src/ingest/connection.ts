/**
 * One tracker connection: bytes in, frames to the protocol, what they bring to the stream, and only then the reply.
 *
 * States: `login` until the protocol knows who speaks, `data` after that, `closing` from the first reason to end.
 * Replies leave in the order of their frames, each after its own append. Memory is bounded: the framer keeps at most
 * one frame, and the socket is not read while too many frames wait for the stream or the peer does not take its replies.
 *
 * Errors: what a tracker sends can end its own connection and nothing else. An append that is given up (shutdown)
 * leaves the frame unacknowledged.
 */
import type { Socket } from 'node:net';
import type { Settings } from '../config/settings.ts';
import type { Accepted, Framer, FramerEvent, Handled, Protocol, Refused, Session } from '../protocols/protocol.ts';
import { errorMessage } from '../shared/errors.ts';
import type { ReasonCode } from '../shared/reasons.ts';
import type { DevicePolicy } from './device-policy.ts';
import type { FrameContext, FrameEntries } from './entries.ts';
import { frameEntries, refusedEntries } from './entries.ts';
import type { EndReason, IngestEvents, Peer } from './events.ts';
import type { Gate, GatedConnection } from './gate.ts';
import type { PoisonFrames } from './poison-frames.ts';
import type { Publisher } from './publisher.ts';

/** What connections need of the rest of ingest. */
export interface ConnectionContext {
  readonly settings: Settings;
  readonly publisher: Publisher;
  readonly policy: DevicePolicy;
  readonly gate: Gate;
  readonly poison: PoisonFrames;
  readonly events: IngestEvents;
}

interface PendingReply {
  readonly reply: Buffer | null;
  readonly readAt: number;
  durable: boolean;
}

type State = 'login' | 'data' | 'closing';

/** A peer that does not take its replies is not read either. */
const MAX_UNSENT_REPLY_BYTES = 64 * 1024;
/** How long a peer has to take our end of the connection and send its own. */
const CLOSE_LINGER_MS = 2_000;

export class TrackerConnection implements GatedConnection {
  readonly address: string;
  readonly #socket: Socket;
  readonly #protocol: Protocol;
  readonly #context: ConnectionContext;
  readonly #framer: Framer;
  readonly #pending: PendingReply[] = [];
  readonly #logged = new Set<ReasonCode>();
  readonly #openedAt = performance.now();
  #session: Session;
  #state: State = 'login';
  #lastByteAt = this.#openedAt;
  #frameBegunAt: number | null = null;
  #paused = false;
  #endReason: EndReason | null = null;
  #endedAt: number | null = null;

  constructor(socket: Socket, protocol: Protocol, context: ConnectionContext) {
    this.#socket = socket;
    this.#protocol = protocol;
    this.#context = context;
    this.address = socket.remoteAddress ?? 'unknown';
    this.#session = protocol.open();
    this.#framer = protocol.createFramer(Math.min(protocol.maxFrameBytes, context.settings.INGEST_MAX_FRAME_BYTES));
  }

  /** Begins to read the socket. */
  start(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => { this.#receive(chunk); });
    socket.on('drain', () => { this.#resumeIfPossible(); });
    socket.on('end', () => { this.close('peer_closed'); });
    socket.on('error', () => { this.#endReason ??= 'socket_error'; });
    socket.on('close', () => { this.#closed(); });
    this.#context.gate.add(this);
    this.#context.events.connectionOpened(this.#protocol.name);
  }

  get deviceId(): string | null {
    return this.#session.deviceId;
  }

  /** Takes nothing more in; frames under way are still acknowledged once they are durable. */
  close(reason: EndReason): void {
    if (this.#state === 'closing') return;
    this.#state = 'closing';
    this.#endReason ??= reason;
    this.#endWhenAnswered();
  }

  checkTimeouts(now: number): void {
    if (this.#endedAt !== null && now - this.#endedAt > CLOSE_LINGER_MS) this.#socket.destroy();
    if (this.#state === 'closing') return;
    // While the stream holds us up, silence is our doing and not the tracker's.
    if (this.#paused || this.#pending.length > 0) return;
    const { settings } = this.#context;
    const frameMs = this.#frameBegunAt === null ? 0 : now - this.#frameBegunAt;
    if (frameMs > settings.INGEST_FRAME_TIMEOUT_MS) this.#refuseAndClose('frame_timeout', 'frame not finished in time');
    else if (now - this.#lastByteAt > settings.INGEST_IDLE_TIMEOUT_MS) this.close('idle_timeout');
    else if (this.#state === 'login' && now - this.#openedAt > settings.INGEST_LOGIN_TIMEOUT_MS) {
      this.#refuseAndClose('login_timeout', 'no login in time');
    }
  }

  get #peer(): Peer {
    return { protocol: this.#protocol.name, address: this.address, deviceId: this.deviceId };
  }

  #receive(chunk: Buffer): void {
    if (this.#state === 'closing') return;
    const now = performance.now();
    this.#lastByteAt = now;
    this.#context.events.bytesRead(this.#protocol.name, chunk.length);
    const events = this.#framer.push(chunk);
    for (const event of events) {
      if (this.isClosing) return;
      this.#take(event, now);
    }
    if (this.#framer.bufferedBytes === 0) this.#frameBegunAt = null;
    else if (events.length > 0 || this.#frameBegunAt === null) this.#frameBegunAt = now;
    this.#pauseIfNeeded();
  }

  get isClosing(): boolean {
    return this.#state === 'closing';
  }

  #take(event: FramerEvent, readAt: number): void {
    const { events } = this.#context;
    if (event.kind === 'frame') {
      this.#handle(event.bytes, readAt);
      return;
    }
    events.frame(this.#protocol.name, event.kind);
    if (event.kind === 'skipped') events.refused(this.#peer, event, this.#logged);
    else this.#refuseAndClose(event.code, event.message);
  }

  #frameContext(frame: Buffer, receivedAt: number): FrameContext {
    const { STREAM_PARTITIONS: partitions, MAX_FUTURE_MS: maxFutureMs } = this.#context.settings;
    return { protocol: this.#protocol.name, deviceId: this.deviceId, receivedAt, frame, partitions, maxFutureMs };
  }

  #handle(frame: Buffer, readAt: number): void {
    const receivedAt = Date.now();
    const handled = this.#decode(frame, receivedAt);
    if (handled.kind === 'refused') {
      this.#refuse(handled, this.#frameContext(frame, receivedAt), readAt);
      return;
    }
    this.#context.events.frame(this.#protocol.name, 'accepted');
    if (!this.#admit(handled)) return;
    const entries = frameEntries(handled, this.#frameContext(frame, receivedAt));
    this.#publish(entries, handled.reply, readAt);
  }

  /** The protocol is pure and total; if it throws all the same, the frame is kept and the connection goes on. */
  #decode(frame: Buffer, receivedAt: number): Handled {
    try {
      return this.#protocol.handle(this.#session, frame, receivedAt);
    } catch (error) {
      this.#context.events.decoderThrew(this.#peer, error);
      const rejected = [{ code: 'internal_error' as const, field: '', message: errorMessage(error), raw: frame }];
      return { kind: 'accepted', session: this.#session, records: [], rejected, reply: null, denial: null };
    }
  }

  /** Lets in the device that this frame names, if it names another than before; false when it may not. */
  #admit(handled: Accepted): boolean {
    const { deviceId } = handled.session;
    const isNew = deviceId !== null && deviceId !== this.deviceId;
    const { policy, gate, events } = this.#context;
    const refusal = isNew ? policy.refusalOf(deviceId) : null;
    if (refusal !== null) {
      events.refused({ ...this.#peer, deviceId }, { code: refusal, message: 'device not let in' }, this.#logged);
      if (handled.denial !== null) this.#send(handled.denial);
      this.close(refusal);
      return false;
    }
    if (isNew && this.deviceId !== null) gate.release(this.deviceId, this);
    this.#session = handled.session;
    if (!isNew) return true;
    this.#state = 'data';
    gate.claim(deviceId, this);
    events.loggedIn(this.#peer);
    return true;
  }

  #refuse(refused: Refused, context: FrameContext, readAt: number): void {
    const { poison, events } = this.#context;
    const { replyWhenDeadLettered: reply } = refused;
    this.#session = refused.session;
    if (reply !== null && poison.isPoison(this.deviceId, context.frame)) {
      events.frame(this.#protocol.name, 'accepted');
      this.#publish(refusedEntries(refused, context), reply, readAt);
      return;
    }
    events.frame(this.#protocol.name, 'refused');
    events.refused(this.#peer, refused, this.#logged);
    if (refused.close) this.close(refused.code);
  }

  #refuseAndClose(code: ReasonCode, message: string): void {
    this.#context.events.refused(this.#peer, { code, message }, this.#logged);
    this.close(code);
  }

  /** Queues the reply behind those of earlier frames and sends it once what the frame brought is durable. */
  #publish(entries: FrameEntries, reply: Buffer | null, readAt: number): void {
    const pending: PendingReply = { reply, readAt, durable: entries.appends.length === 0 };
    this.#pending.push(pending);
    if (pending.durable) {
      this.#answer();
      return;
    }
    this.#context.publisher.append(entries.appends).then(
      () => {
        const { events } = this.#context;
        events.recordsKept(this.#protocol.name, entries.recordCount);
        events.deadLettered(this.#peer, entries.deadLetters, this.#logged);
        pending.durable = true;
        this.#answer();
      },
      () => { this.#socket.destroy(); },
    );
  }

  /** Sends the replies of all frames at the head of the queue that are durable. */
  #answer(): void {
    while (this.#pending[0]?.durable === true) {
      const { reply, readAt } = this.#pending.shift() as PendingReply;
      if (reply === null) continue;
      this.#send(reply);
      this.#context.events.acknowledged(this.#protocol.name, performance.now() - readAt);
    }
    if (this.#state === 'closing') this.#endWhenAnswered();
    else this.#resumeIfPossible();
  }

  #send(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  get #mustWait(): boolean {
    return (
      this.#pending.length >= this.#context.settings.INGEST_MAX_PENDING_FRAMES ||
      this.#context.publisher.congested ||
      this.#socket.writableLength > MAX_UNSENT_REPLY_BYTES
    );
  }

  #pauseIfNeeded(): void {
    if (this.#paused || this.#state === 'closing' || !this.#mustWait) return;
    this.#paused = true;
    this.#socket.pause();
    this.#context.events.socketsPaused(1);
    this.#resumeIfPossible();
  }

  readonly #resumeIfPossible = (): void => {
    if (!this.#paused) return;
    if (this.#context.publisher.congested) this.#context.publisher.onRelief(this.#resumeIfPossible);
    if (this.#mustWait) return;
    this.#paused = false;
    this.#lastByteAt = performance.now();
    if (this.#frameBegunAt !== null) this.#frameBegunAt = this.#lastByteAt;
    this.#context.events.socketsPaused(-1);
    this.#socket.resume();
  };

  /** Ends our side; what the peer still sends is read and dropped, so that the end of its side is seen. */
  #endWhenAnswered(): void {
    if (this.#pending.length > 0 || this.#endedAt !== null) return;
    this.#endedAt = performance.now();
    this.#socket.end();
    this.#socket.resume();
  }

  #closed(): void {
    if (this.#paused) this.#context.events.socketsPaused(-1);
    this.#paused = false;
    this.#state = 'closing';
    this.#context.gate.remove(this);
    this.#context.events.connectionEnded(this.#peer, this.#endReason ?? 'peer_closed');
  }
}
