/**
 * One WebSocket connection: a viewer that signs in and says what it follows.
 *
 *   signing in ──credential good──▶ open ──credential ends──▶ closing
 *       └────────────────────── time is over ──────────────────────▲
 *
 * Messages that come while a credential is being asked about wait for the answer. Expected bad input is answered with
 * an error and counted; the connection ends when it goes on and on.
 */
import type { RawData, WebSocket } from 'ws';
import type { Duplex } from 'node:stream';
import type { Credential, Refused } from '../../auth/provider.ts';
import type { Opened } from '../../auth/sessions.ts';
import { follow, unfollow } from './following.ts';
import { handOver } from '../feed/hand-over.ts';
import type { Hub } from '../hub.ts';
import { MessageLimit } from './message-limit.ts';
import type { ClientMessage, CloseReason } from '../messages/protocol.ts';
import { CLOSES, parseClientMessage, topicsOf } from '../messages/protocol.ts';
import type { Carrier } from './viewer.ts';
import { Viewer } from './viewer.ts';

type State =
  /** `deadline`: until when; monotonic, milliseconds. */
  | { readonly name: 'signing_in'; readonly deadline: number }
  | { readonly name: 'open' }
  | { readonly name: 'closing' };

export interface ConnectionOptions {
  readonly hub: Hub;
  readonly webSocket: WebSocket;
  /** The one under `webSocket`. */
  readonly socket: Duplex;
  readonly address: string;
  /** Of the upgrade; null: it had none. */
  readonly credential: Credential | null;
  readonly onClosed: (connection: Connection) => void;
}

const MISSED_PONGS = 2;
/** Messages that wait for a credential to be checked. */
const WAITING_LIMIT = 64;
const INVALID_LIMIT = 100;

/** Close codes that `ws` sends by itself, by the code of the error that it reports. */
const PROTOCOL_CLOSES: Readonly<Record<string, number>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_INVALID_UTF8: 1007,
};
const PROTOCOL_ERROR = 1002;
const NORMAL = 1000;
const NO_STATUS = 1005;

export class Connection implements Carrier {
  readonly #options: ConnectionOptions;
  readonly #viewer: Viewer;
  readonly #limit: MessageLimit;
  #state: State;
  /** Messages behind a credential that is being asked about; null: none is. */
  #waiting: ClientMessage[] | null = null;
  #invalid = 0;
  #nextPingAt: number;
  #missedPongs = 0;
  #closeReason: CloseReason | null = null;
  #closeCode: number | null = null;

  constructor(options: ConnectionOptions) {
    const { hub, credential } = options;
    const now = performance.now();
    this.#options = options;
    this.#limit = new MessageLimit(hub.settings.LIVE_WS_MAX_MESSAGES_PER_SECOND, now);
    this.#state = { name: 'signing_in', deadline: now + hub.settings.LIVE_WS_AUTH_TIMEOUT_MS };
    this.#nextPingAt = now + hub.settings.LIVE_WS_PING_INTERVAL_MS;
    this.#viewer = new Viewer(hub, 'websocket', this);
    this.#listen();
    if (credential !== null) this.#run(this.#signIn(credential));
  }

  /** What the passing of time asks for; `now` is monotonic, milliseconds. */
  tend(now: number): void {
    const { LIVE_WS_SLOW_CLIENT_TIMEOUT_MS: slowMs } = this.#options.hub.settings;
    if (this.#state.name === 'closing') return;
    if (this.#viewer.outbox.stuckMs(now) >= slowMs) this.close('slow_client');
    else if (this.#state.name === 'signing_in' && now >= this.#state.deadline) this.close('not_authenticated');
    else if (now >= this.#nextPingAt && !this.#viewer.outbox.isConflating) this.#ping(now);
  }

  /** Ends the connection with the code of the reason, once what was written before has gone. */
  close(reason: CloseReason): void {
    if (this.#state.name === 'closing') return;
    this.#state = { name: 'closing' };
    this.#closeReason = reason;
    const { webSocket } = this.#options;
    // What waits for a client that takes nothing would only be in the way of the code.
    if (reason === 'slow_client' || reason === 'heartbeat') this.#viewer.close();
    else this.#viewer.finish();
    if (reason === 'heartbeat') webSocket.terminate();
    else webSocket.close(CLOSES[reason].code, reason);
    // The client's part of the goodbye has to be read.
    webSocket.resume();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#options.webSocket.terminate();
  }

  // What carries the messages of a viewer.

  write(chunk: Buffer, done: () => void): boolean {
    return handOver(this.#options.socket, chunk, done);
  }

  /** Of a client that does not keep up nothing is read meanwhile. */
  pressed(isHigh: boolean): void {
    const { webSocket } = this.#options;
    if (isHigh) webSocket.pause();
    else webSocket.resume();
    // Whatever was due while nothing was read proves nothing.
    this.#missedPongs = 0;
  }

  ended(refusal: Refused): void {
    this.#fail('auth_failed', refusal.message);
    this.close(refusal.code === 'credential_expired' ? 'credential_expired' : 'access_ended');
  }

  lost(): void {
    // It has been told, and may ask again.
  }

  #listen(): void {
    const { webSocket } = this.#options;
    webSocket.on('message', (data, isBinary) => { this.#receive(data, isBinary); });
    webSocket.on('pong', () => { this.#missedPongs = 0; });
    webSocket.on('error', (error) => {
      const code = 'code' in error ? String(error.code) : '';
      if (code.startsWith('WS_ERR_')) this.#closeCode = PROTOCOL_CLOSES[code] ?? PROTOCOL_ERROR;
    });
    webSocket.on('close', (code) => { this.#closed(code); });
  }

  #closed(code: number): void {
    const { hub, address, onClosed } = this.#options;
    this.#state = { name: 'closing' };
    this.#viewer.close();
    const ours = this.#closeReason === null ? null : CLOSES[this.#closeReason].code;
    const given = code === NO_STATUS ? NORMAL : code;
    hub.events.disconnected('websocket', address, ours ?? this.#closeCode ?? given, this.#closeReason);
    onClosed(this);
  }

  #ping(now: number): void {
    if (this.#missedPongs >= MISSED_PONGS) {
      this.close('heartbeat');
      return;
    }
    this.#missedPongs += 1;
    this.#nextPingAt = now + this.#options.hub.settings.LIVE_WS_PING_INTERVAL_MS;
    this.#options.webSocket.ping();
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#state.name === 'closing') return;
    const admission = this.#limit.admit(performance.now());
    if (admission === 'admitted') this.#read(data, isBinary);
    else {
      this.#options.hub.events.received('limited');
      if (admission === 'hopeless') this.close('rate_limited');
      else if (admission === 'refused') this.#fail('rate_limited', 'too many messages: this one and the next are not read');
    }
  }

  #read(data: RawData, isBinary: boolean): void {
    const { events } = this.#options.hub;
    if (isBinary) {
      events.received('invalid');
      this.#refuse('binary_not_supported', 'messages are JSON in text frames');
      return;
    }
    // `nodebuffer` is the only form that `ws` has been asked for.
    const parsed = parseClientMessage((data as Buffer).toString());
    if (!parsed.ok) {
      events.received('invalid');
      this.#refuse(parsed.code, parsed.message, parsed.ref);
      return;
    }
    this.#invalid = 0;
    events.received(parsed.message.type);
    this.#actInTurn(parsed.message);
  }

  #actInTurn(message: ClientMessage): void {
    if (this.#waiting === null) this.#act(message);
    else if (this.#waiting.length < WAITING_LIMIT) this.#waiting.push(message);
    else this.close('rate_limited');
  }

  #refuse(code: 'invalid_json' | 'invalid_message' | 'binary_not_supported', message: string, ref?: string): void {
    this.#invalid += 1;
    if (this.#invalid >= INVALID_LIMIT) this.close('bad_messages');
    else this.#fail(code, message, ref);
  }

  #act(message: ClientMessage): void {
    const { ref } = message;
    switch (message.type) {
      case 'auth':
        this.#run(this.#signIn({ kind: 'bearer', secret: message.access_token, address: this.#options.address }, { ref }));
        return;
      case 'ping':
        this.#viewer.say({ type: 'pong', ...(ref === undefined ? {} : { ref }) });
        this.#viewer.outbox.flush();
        return;
      case 'unsubscribe':
        unfollow(this.#viewer, { topics: topicsOf(message), ref });
        return;
      case 'subscribe':
        if (this.#state.name === 'open') this.#run(follow(this.#viewer, { topics: topicsOf(message), ref, resume: message.resume }));
        else this.#fail('not_authenticated', 'sign in first: {"type":"auth","access_token":…}', ref);
        return;
      default:
        message satisfies never;
    }
  }

  /** @param asked by a message, which is answered; a credential of the upgrade is only heard of when it is no good */
  async #signIn(credential: Credential, asked?: { readonly ref: string | undefined }): Promise<void> {
    this.#waiting = [];
    const opened = await this.#viewer.signIn(credential);
    const waiting = this.#waiting;
    this.#waiting = null;
    if (this.#state.name === 'closing') return;
    this.#answerSignIn(opened, asked);
    for (const message of waiting) this.#actInTurn(message);
  }

  #answerSignIn(opened: Opened | 'other_user', asked: { readonly ref: string | undefined } | undefined): void {
    const ref = asked?.ref;
    if (opened === 'other_user') this.#fail('auth_other_user', 'the credential belongs to another user', ref);
    else if (opened.outcome === 'unavailable') this.#fail('auth_unavailable', 'nobody can say at the moment who you are; try again', ref);
    else if (opened.outcome === 'refused') this.#fail('auth_failed', opened.message, ref);
    else {
      this.#state = { name: 'open' };
      if (asked === undefined) return;
      const { expiresAt } = opened.session.identity;
      this.#viewer.say({ type: 'auth', status: 'ok', expiresAt, ...(ref === undefined ? {} : { ref }) });
      this.#viewer.outbox.flush();
    }
  }

  /** What goes wrong here is a bug of ours, and ends this connection alone. */
  #run(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#options.hub.events.connectionFailed(this.#options.address, error);
      this.close('internal_error');
    });
  }

  #fail(code: Parameters<Viewer['fail']>[0], message: string, ref?: string): void {
    this.#viewer.fail(code, message, { ref });
    this.#viewer.outbox.flush();
  }
}
