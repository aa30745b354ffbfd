/**
 * One tracker: makes records, keeps them until the server has acknowledged them, and sends them in frames, one at a
 * time. A frame without its acknowledgement is sent again on the next connection. Errors of the network and of the
 * server are counted and answered as a tracker does, by connecting again after a pause; nothing is thrown.
 */
import type { AvlCodec } from '../protocols/teltonika/encode.ts';
import type { Connect, Connection, ConnectionEvents } from './connection.ts';
import type { FaultKind, FaultPlan } from './faults.ts';
import type { Random } from './random.ts';
import { RecordQueue } from './record-queue.ts';
import { encodeKeys, Recorder } from './recorder.ts';
import type { ErrorKind, Statistics } from './statistics.ts';
import type { Vehicle } from './vehicle.ts';

/** In which order a tracker sends what it has stored. */
export type SendingOrder = 'oldest' | 'newest' | 'shuffled';

export interface TrackerSettings {
  readonly codec: AvlCodec;
  /** A frame is sent when so many records wait. */
  readonly recordsPerFrame: number;
  readonly order: SendingOrder;
  /** Longest wait for the answer to a login or a frame. */
  readonly answerTimeoutMs: number;
  /** About how often it connects anew; 0: only when it must. */
  readonly reconnectMs: number;
  /** Remember acknowledged records for a verification. */
  readonly keepAcknowledged: boolean;
}

export interface TrackerParts {
  readonly vehicle: Vehicle;
  readonly settings: TrackerSettings;
  readonly connect: Connect;
  readonly faults: FaultPlan;
  readonly random: Random;
  readonly statistics: Statistics;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/**
 * `waiting` for the next attempt to connect, `idle` until a frame is full, `sending` a frame or `resending` one that
 * was acknowledged, until the answer; `garbage` was sent and the server should close.
 */
type State = 'off' | 'waiting' | 'connecting' | 'idle' | 'sending' | 'resending' | 'garbage' | 'stopped';

const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 8_000;
const SHORT_PAUSE_MS = 300;
const GARBAGE_TIMEOUT_MS = 5_000;

export class Tracker {
  readonly vehicle: Vehicle;
  readonly queue: RecordQueue;
  readonly #recorder: Recorder;
  readonly #parts: TrackerParts;
  readonly #settings: TrackerSettings;
  readonly #statistics: Statistics;
  /** First connections of duplicate logins, open until the second one works. */
  readonly #abandoned = new Set<Connection>();
  #connection: Connection | null = null;
  #state: State = 'off';
  /** When `tick` has something to do. */
  #deadline = Infinity;
  #reconnectAt = Infinity;
  #failures = 0;
  #sentAt = 0;
  #frameWasSent = false;
  #draining = false;

  constructor(parts: TrackerParts) {
    this.#parts = parts;
    this.#settings = parts.settings;
    this.#statistics = parts.statistics;
    this.vehicle = parts.vehicle;
    this.#recorder = new Recorder(parts.vehicle);
    this.queue = new RecordQueue(parts.settings.order === 'newest', parts.settings.keepAcknowledged);
  }

  get isOn(): boolean {
    return this.#state !== 'off' && this.#state !== 'stopped';
  }

  /** Connects for the first time, with records of these times (epoch milliseconds, ascending) already stored. */
  switchOn(backlog: readonly number[]): void {
    const made = backlog.flatMap((ts) => this.#recorder.keysAt(ts));
    // Events come on top: the oldest records give way to them, so that the backlog has the length asked for.
    const keys = made.slice(made.length - backlog.length);
    for (const key of keys) this.queue.push(key);
    this.#statistics.recordsMade += keys.length;
    if (this.#settings.order === 'shuffled') this.queue.shuffle(this.#parts.random);
    this.#open();
  }

  /** Makes the record of `ts` (epoch milliseconds), and a second one when the ignition has changed since the last. */
  record(ts: number): void {
    for (const key of this.#recorder.keysAt(ts)) {
      this.queue.push(key);
      this.#statistics.recordsMade += 1;
    }
    if (this.#state === 'idle') this.#sendNext();
  }

  /** From now on sends what there is without waiting for full frames, and meets no more faults. */
  drain(): void {
    this.#draining = true;
    if (this.#state === 'idle') this.#sendNext();
  }

  /** Ends all connections. */
  stop(): void {
    this.#detach()?.drop();
    this.#dropAbandoned();
    this.#state = 'stopped';
    this.#deadline = Infinity;
  }

  /** Does what is due by `now` (of the clock): call it several times a second. */
  tick(now: number): void {
    if (now < this.#deadline) return;
    if (this.#state === 'waiting') this.#open();
    else if (this.#state === 'garbage') this.#pause(SHORT_PAUSE_MS);
    else if (this.#state === 'idle') this.#sendNext();
    else this.#fail('timeout');
  }

  #open(): void {
    this.#enter('connecting', this.#settings.answerTimeoutMs);
    const connection: Connection = this.#parts.connect(this.vehicle.imei, this.#eventsOf(() => connection));
    this.#connection = connection;
  }

  /** Events of a connection count only as long as it is the tracker's current one. */
  #eventsOf(self: () => Connection): ConnectionEvents {
    const isCurrent = (): boolean => this.#connection === self();
    return {
      accepted: () => { if (isCurrent()) this.#accepted(); },
      refused: () => {
        if (!isCurrent()) return;
        this.#statistics.refusedLogins += 1;
        this.#pauseAfterFailure();
      },
      acknowledged: (records) => { if (isCurrent()) this.#acknowledged(records); },
      closed: (reason) => {
        this.#abandoned.delete(self());
        if (isCurrent()) this.#closed(reason);
      },
    };
  }

  #accepted(): void {
    this.#state = 'idle';
    this.#statistics.logins += 1;
    this.#statistics.connected += 1;
    const { reconnectMs } = this.#settings;
    const spread = this.#parts.random.between(0.75, 1.25);
    this.#reconnectAt = reconnectMs === 0 ? Infinity : this.#parts.clock() + reconnectMs * spread;
    this.#sendNext();
  }

  #closed(reason: string | null): void {
    if (this.#state === 'garbage') this.#pause(SHORT_PAUSE_MS);
    else this.#fail(this.#state === 'connecting' && reason !== null ? 'unreachable' : 'closed', reason);
  }

  #acknowledged(records: number): void {
    const frame = this.#state === 'resending' ? this.queue.lastAcknowledged : this.queue.frame;
    const awaited = this.#state === 'sending' || this.#state === 'resending';
    if (!awaited || records < 1 || records > frame.length) {
      this.#fail('protocol', `unexpected answer: ${records} records acknowledged of ${awaited ? frame.length : 0}`);
      return;
    }
    const latencyMs = this.#parts.clock() - this.#sentAt;
    const isNews = this.#state === 'sending';
    if (isNews) this.queue.acknowledge(records);
    this.#statistics.acknowledged(isNews ? records : 0, latencyMs);
    this.#failures = 0;
    this.#dropAbandoned();
    // After a frame sent again comes a new one, so that a tracker gets on however often it repeats itself.
    this.#sendNext(isNews);
  }

  #sendNext(mayFail = true): void {
    if (this.#parts.clock() >= this.#reconnectAt) {
      this.#pause(SHORT_PAUSE_MS);
      return;
    }
    if (this.queue.frame.length === 0) this.#fillFrame();
    if (this.queue.frame.length === 0) {
      this.#enter('idle', Infinity);
      this.#deadline = this.#reconnectAt;
      return;
    }
    this.#send(this.#draining || !mayFail ? null : this.#parts.faults.next());
  }

  #fillFrame(): void {
    const { recordsPerFrame } = this.#settings;
    if (this.queue.waiting < (this.#draining ? 1 : recordsPerFrame)) return;
    this.queue.fill(recordsPerFrame);
    this.#frameWasSent = false;
  }

  #send(fault: FaultKind | null): void {
    const connection = this.#connection;
    if (connection === null) return;
    const { faults } = this.#parts;
    const happens = fault === 'resend' && this.queue.lastAcknowledged.length === 0 ? null : fault;
    if (happens !== null) this.#statistics.faults[happens] += 1;
    switch (happens) {
      case null:
      case 'slow':
        this.#sendFrame(connection, happens === 'slow');
        return;
      case 'resend':
        this.#resend(connection);
        return;
      case 'garbage':
        connection.send(faults.garbage());
        this.#enter('garbage', GARBAGE_TIMEOUT_MS);
        return;
      case 'cut':
        connection.send(faults.cutOff(this.#encode(this.queue.frame)));
        this.#pause(SHORT_PAUSE_MS);
        return;
      case 'cut-after':
        this.#sendFrame(connection, false);
        this.#pause(SHORT_PAUSE_MS);
        return;
      case 'duplicate-login':
        this.#sendFrame(connection, false);
        this.#detach();
        this.#abandoned.add(connection);
        this.#open();
        return;
      default:
        happens satisfies never;
    }
  }

  #sendFrame(connection: Connection, slowly: boolean): void {
    const { frame } = this.queue;
    const onWritten = (): void => { this.#sentAt = this.#parts.clock(); };
    this.#enter('sending', this.#settings.answerTimeoutMs);
    if (slowly) connection.sendSlowly(this.#encode(frame), onWritten);
    else connection.send(this.#encode(frame), onWritten);
    this.#statistics.frameSent(frame.length, this.#frameWasSent);
    this.#frameWasSent = true;
  }

  #resend(connection: Connection): void {
    const { lastAcknowledged } = this.queue;
    this.#enter('resending', this.#settings.answerTimeoutMs);
    connection.send(this.#encode(lastAcknowledged), () => { this.#sentAt = this.#parts.clock(); });
    this.#statistics.frameSent(lastAcknowledged.length, true);
  }

  #encode(keys: readonly number[]): Buffer {
    return encodeKeys(this.vehicle, keys, this.#settings.codec);
  }

  #fail(kind: ErrorKind, text: string | null = null): void {
    this.#statistics.error(kind, text);
    this.#pauseAfterFailure();
  }

  /** Each failure in a row doubles the pause, so that a fleet does not drown a server that comes back. */
  #pauseAfterFailure(): void {
    this.#pause(Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#failures));
    this.#failures += 1;
  }

  /** Ends the connection and connects again after about so long. */
  #pause(durationMs: number): void {
    this.#detach()?.cut();
    this.#enter('waiting', durationMs * this.#parts.random.between(0.5, 1.5));
  }

  /** The tracker has no connection any more; what becomes of the one that it had is the caller's. */
  #detach(): Connection | null {
    const connection = this.#connection;
    if (connection !== null && this.#state !== 'connecting') this.#statistics.connected -= 1;
    this.#connection = null;
    return connection;
  }

  #dropAbandoned(): void {
    for (const connection of this.#abandoned) connection.drop();
    this.#abandoned.clear();
  }

  #enter(state: State, timeoutMs: number): void {
    this.#state = state;
    this.#deadline = this.#parts.clock() + timeoutMs;
  }
}
