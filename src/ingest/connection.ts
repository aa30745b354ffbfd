/**
 * One tracker connection: bytes in, frames to the protocol, what they bring to the stream, and only then the reply.
 *
 * It is logged in once the protocol knows who speaks, and closing from the first reason to end. Replies leave in the
 * order of their frames, each after its own append. Memory is bounded: the framer keeps at most one frame, and the
 * socket is not read while too many frames wait for the stream or the peer does not take its replies.
 *
 * Errors: what a tracker sends can end its own connection and nothing else. An append that is given up (shutdown)
 * leaves the frame unacknowledged.
 */
import type { Socket } from 'node:net';
import type { Settings } from '../config/settings.ts';
import type { Framer, FramerEvent, Protocol, Refused, Session } from '../protocols/protocol.ts';
import type { ReasonCode } from '../shared/reasons.ts';
import type { DevicePolicy } from './device-policy.ts';
import type { EndReason, IngestEvents, Peer } from './events.ts';
import type { Gate, GatedConnection } from './gate.ts';
import type { Intake, Taken } from './intake.ts';
import type { Publisher } from './publisher.ts';
import { ReplyQueue } from './reply-queue.ts';
import { TimeLimits } from './time-limits.ts';

/** What connections need of the rest of ingest. */
export interface ConnectionContext {
  readonly settings: Settings;
  readonly intake: Intake;
  readonly publisher: Publisher;
  readonly policy: DevicePolicy;
  readonly gate: Gate;
  readonly events: IngestEvents;
}

/** A peer that does not take its replies is not read either. */
const MAX_UNSENT_REPLY_BYTES = 64 * 1024;
/** How long a connection that is to end waits for its frames to become durable: trackers give up sooner. */
const ANSWER_PATIENCE_MS = 30_000;
/** How long a peer has to take our end of the connection and send its own. */
const CLOSE_LINGER_MS = 2_000;

export class TrackerConnection implements GatedConnection {
  readonly address: string;
  readonly #socket: Socket;
  readonly #protocol: Protocol;
  readonly #context: ConnectionContext;
  readonly #framer: Framer;
  readonly #limits: TimeLimits;
  readonly #replies = new ReplyQueue();
  readonly #logged = new Set<ReasonCode>();
  #session: Session;
  #isPaused = false;
  /** Set from the first reason to end. */
  #endReason: EndReason | null = null;
  #isEnded = false;
  /** When a connection that is closing has had time enough. */
  #destroyAt = Number.POSITIVE_INFINITY;

  constructor(socket: Socket, protocol: Protocol, context: ConnectionContext) {
    this.#socket = socket;
    this.#protocol = protocol;
    this.#context = context;
    this.address = socket.remoteAddress ?? 'unknown';
    this.#session = protocol.open();
    this.#framer = protocol.createFramer(Math.min(protocol.maxFrameBytes, context.settings.INGEST_MAX_FRAME_BYTES));
    this.#limits = new TimeLimits(context.settings, performance.now());
  }

  /** Begins to read the socket. */
  start(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => { this.#receive(chunk); });
    socket.on('drain', () => { this.adjustFlow(); });
    socket.on('end', () => { this.close('peer_closed'); });
    socket.on('error', () => { this.#endReason ??= 'socket_error'; });
    socket.on('close', () => { this.#closed(); });
    this.#context.gate.add(this);
    this.#context.events.connectionOpened(this.#protocol.name);
    this.adjustFlow();
  }

  get deviceId(): string | null {
    return this.#session.deviceId;
  }

  /** Takes nothing more in; frames under way are still acknowledged once they are durable. */
  close(reason: EndReason): void {
    if (this.#isClosing) return;
    this.#endReason = reason;
    this.#destroyAt = performance.now() + ANSWER_PATIENCE_MS;
    this.#endWhenAnswered();
  }

  checkTimeouts(now: number): void {
    if (now > this.#destroyAt) this.#socket.destroy();
    if (this.#isClosing) return;
    const overdue = this.#limits.overdue(now, this.deviceId !== null);
    if (overdue === null) return;
    if (overdue === 'idle_timeout') this.close(overdue);
    else this.#refuseAndClose(overdue, 'not sent in time');
  }

  /** Reads on or pauses, as the stream, the frames under way and the peer keep up. */
  adjustFlow(): void {
    const { publisher } = this.#context;
    this.#limits.hold(publisher.congested || this.#replies.length > 0, performance.now());
    const mustWait = this.#mustWait;
    if (this.#isClosing || mustWait === this.#isPaused) return;
    this.#setPaused(mustWait);
    if (mustWait) this.#socket.pause();
    else this.#socket.resume();
  }

  get #isClosing(): boolean {
    return this.#endReason !== null;
  }

  get #mustWait(): boolean {
    return (
      this.#replies.length >= this.#context.settings.INGEST_MAX_PENDING_FRAMES ||
      this.#context.publisher.congested ||
      this.#socket.writableLength > MAX_UNSENT_REPLY_BYTES
    );
  }

  get #peer(): Peer {
    return { protocol: this.#protocol.name, address: this.address, deviceId: this.deviceId };
  }

  #setPaused(isPaused: boolean): void {
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    this.#context.events.socketsPaused(isPaused ? 1 : -1);
  }

  #receive(chunk: Buffer): void {
    if (this.#isClosing) return;
    const now = performance.now();
    this.#context.events.bytesRead(this.#protocol.name, chunk.length);
    const found = this.#framer.push(chunk);
    this.#limits.received(now, found.length, this.#framer.bufferedBytes);
    for (const event of found) {
      this.#take(event, now);
      if (this.#isClosing) return;
    }
    this.adjustFlow();
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

  #handle(frame: Buffer, readAt: number): void {
    const session = this.#session;
    const result = this.#context.intake.take(this.#peer, session, frame, (receivedAt) =>
      this.#protocol.handle(session, frame, receivedAt),
    );
    if (result.kind === 'refused') this.#refuse(result);
    else if (this.#admit(result)) this.#keep(result, readAt);
  }

  /** Lets in the device that the frame names, if it names another than before; false when it may not. */
  #admit({ session, denial }: Taken): boolean {
    const { policy, gate, events } = this.#context;
    const former = this.deviceId;
    const { deviceId } = session;
    const isNew = deviceId !== null && deviceId !== former;
    const refusal = isNew ? policy.refusalAtLogin(deviceId) : null;
    if (refusal !== null) {
      events.frame(this.#protocol.name, 'refused');
      events.refused({ ...this.#peer, deviceId }, { code: refusal, message: 'device not let in' }, this.#logged);
      // Without a list nobody knows that the device is not welcome: that is no reason to tell it so.
      if (refusal !== 'device_list_unavailable') this.#answer(denial);
      this.close(refusal);
      return false;
    }
    this.#session = session;
    if (!isNew) return true;
    if (former !== null) gate.release(former, this);
    gate.claim(deviceId, this);
    events.loggedIn(this.#peer);
    return true;
  }

  #refuse(refused: Refused): void {
    this.#session = refused.session;
    this.#context.events.frame(this.#protocol.name, 'refused');
    this.#context.events.refused(this.#peer, refused, this.#logged);
    if (refused.close) this.close(refused.code);
  }

  #refuseAndClose(code: ReasonCode, message: string): void {
    this.#context.events.refused(this.#peer, { code, message }, this.#logged);
    this.close(code);
  }

  /** Answers a frame once what it brought is durable. */
  #keep({ entries, reply }: Taken, readAt: number): void {
    const { publisher, events } = this.#context;
    const protocol = this.#protocol.name;
    events.frame(protocol, 'accepted');
    if (entries.appends.length === 0) {
      this.#answer(reply);
      return;
    }
    const release = this.#replies.reserve(() => {
      if (reply !== null && this.#send(reply)) events.acknowledged(protocol, performance.now() - readAt);
    });
    publisher.append(entries.appends).then(
      () => {
        events.kept(this.#peer, entries, this.#logged);
        release();
        this.#endWhenAnswered();
        this.adjustFlow();
      },
      () => { this.#socket.destroy(); },
    );
  }

  /** Answers a frame that brought nothing, behind those before it. */
  #answer(reply: Buffer | null): void {
    if (reply !== null) this.#replies.reserve(() => { this.#send(reply); })();
  }

  #send(bytes: Buffer): boolean {
    if (!this.#socket.writable) return false;
    this.#socket.write(bytes);
    return true;
  }

  /** Ends our side; what the peer still sends is read and dropped, so that the end of its side is seen. */
  #endWhenAnswered(): void {
    if (!this.#isClosing || this.#replies.length > 0 || this.#isEnded) return;
    this.#isEnded = true;
    this.#destroyAt = performance.now() + CLOSE_LINGER_MS;
    this.#setPaused(false);
    this.#socket.end();
    this.#socket.resume();
  }

  #closed(): void {
    this.#setPaused(false);
    this.#isEnded = true;
    this.#endReason ??= 'peer_closed';
    this.#context.gate.remove(this);
    this.#context.events.connectionEnded(this.#peer, this.#endReason);
  }
}
