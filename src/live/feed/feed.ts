/**
 * From records to those who follow their device. A record is shown when it is news, that is, newer than all that is
 * known of its device; the first one of a device that somebody follows waits until the database has said what it has,
 * so that an old record is never taken for news.
 */
import type { RecordResult } from '../../shared/contracts/stored-record.ts';
import type { TelemetryEntry } from '../../shared/contracts/telemetry-stream.ts';
import { partitionOf } from '../../shared/contracts/telemetry-stream.ts';
import type { Cursor } from '../messages/cursor.ts';
import { formatCursor } from '../messages/cursor.ts';
import type { DeviceState } from '../devices/database.ts';
import type { DeviceStates } from '../devices/device-states.ts';
import type { LiveEvents } from '../events.ts';
import { Message } from '../messages/frames.ts';
import type { Update } from './outbox.ts';
import type { KnownDevices, Origin } from '../devices/known-devices.ts';
import type { LivePosition } from '../messages/position-json.ts';
import { livePosition, positionJson } from '../messages/position-json.ts';
import type { Audience, Subscriptions } from './subscriptions.ts';
import type { Tick } from './tick.ts';

export interface FeedOptions {
  readonly known: KnownDevices;
  readonly subscriptions: Subscriptions;
  readonly tick: Tick;
  readonly events: LiveEvents;
}

/** A record on its way, with the entry that brought it. */
interface Held {
  readonly position: LivePosition;
  readonly origin: Origin;
}

export class Feed {
  readonly #options: FeedOptions;
  readonly #read: string[];
  /** Records that wait for the database, by device, in order. */
  readonly #held = new Map<string, Held[]>();
  /** Epoch milliseconds. */
  readonly #beganAt = Date.now();
  #receivedAt: number[] = [];
  #cursor: Message;
  #cursorText: string;

  /** @param cursor where the feed begins */
  constructor(options: FeedOptions, cursor: Cursor) {
    this.#options = options;
    this.#read = [...cursor];
    this.#cursorText = formatCursor(cursor);
    this.#cursor = cursorMessage(this.#cursorText);
  }

  /** The last entry of each partition that was read. */
  get position(): Cursor {
    return this.#read;
  }

  /** How far everybody has been shown everything, as a message of its own. */
  get cursor(): Message {
    return this.#cursor;
  }

  get cursorText(): string {
    return this.#cursorText;
  }

  /** Takes in an entry of the stream. */
  take(entry: TelemetryEntry, origin: Origin, states: DeviceStates): void {
    this.#read[origin.partition] = origin.entryId;
    const { deviceId } = entry;
    const audiences = this.#options.subscriptions.audiencesOf(deviceId);
    const positions = entry.records.flatMap((result) => this.#position(entry, result));
    const isUncertain = audiences.length > 0 && this.#options.known.get(deviceId)?.verified !== true;
    if (!isUncertain) for (const position of positions) this.#takePosition({ position, origin }, audiences);
    else this.#hold(deviceId, positions.map((position) => ({ position, origin })), states);
  }

  /**
   * Takes in what the database says of a device. What came in since this feed began is news: the stream has it too, and
   * it is only a little sooner here. What is older those who follow the device have.
   */
  takeState({ deviceId, newest, place }: DeviceState): void {
    const { known, subscriptions } = this.#options;
    const partition = partitionOf(deviceId, this.#read.length);
    if (place !== null && place !== newest) known.recall(place, partition);
    if (newest !== null) {
      const origin = { partition, entryId: this.#read[partition] ?? '0-0' };
      if (newest.receivedAt < this.#beganAt) known.recall(newest, partition);
      else if (known.observe(newest, origin)) this.#show(newest, subscriptions.audiencesOf(deviceId));
    }
    known.verify(deviceId);
  }

  /** Shows a position that is no news. */
  repeat(audiences: readonly Audience[], position: LivePosition): void {
    this.#show(position, audiences);
  }

  /** Ends a read: what was taken in is written to the viewers. */
  flush(): void {
    const { tick, events } = this.#options;
    // While a record waits nobody has been shown all that was read.
    const text = this.#held.size === 0 ? formatCursor(this.#read) : this.#cursorText;
    if (text !== this.#cursorText) {
      this.#cursorText = text;
      this.#cursor = cursorMessage(text);
    }
    tick.flush();
    const receivedAt = this.#receivedAt;
    if (receivedAt.length === 0) return;
    this.#receivedAt = [];
    events.broadcast(receivedAt);
  }

  #position({ deviceId, receivedAt }: TelemetryEntry, result: RecordResult): LivePosition[] {
    const position = result.ok ? livePosition(deviceId, receivedAt, result.record) : undefined;
    if (position !== undefined) return [position];
    this.#options.events.dropped('malformed');
    return [];
  }

  #hold(deviceId: string, held: readonly Held[], states: DeviceStates): void {
    const waiting = this.#held.get(deviceId);
    if (waiting !== undefined) {
      waiting.push(...held);
      return;
    }
    this.#held.set(deviceId, [...held]);
    void states.ensure([deviceId]).then((result) => { this.#release(deviceId, result === 'ready'); });
  }

  /** The database has answered, or does not: the feed goes on without it. */
  #release(deviceId: string, isVerified: boolean): void {
    const held = this.#held.get(deviceId) ?? [];
    this.#held.delete(deviceId);
    const { known, subscriptions } = this.#options;
    const audiences = subscriptions.audiencesOf(deviceId);
    for (const one of held) this.#takePosition(one, audiences);
    // Also where the database does not have the device yet: all that there is of it came with the stream.
    if (isVerified) known.verify(deviceId);
    this.flush();
  }

  #takePosition({ position, origin }: Held, audiences: readonly Audience[]): void {
    const { known, events } = this.#options;
    if (!known.observe(position, origin)) events.dropped('not_newer');
    else if (audiences.length === 0) events.dropped('no_viewer');
    else {
      this.#show(position, audiences);
      this.#receivedAt.push(position.receivedAt);
    }
  }

  #show(position: LivePosition, audiences: readonly Audience[]): void {
    if (audiences.length === 0) return;
    const json = positionJson(position);
    for (const audience of audiences) this.#options.tick.add(audience, updateOf(audience, position.deviceId, json));
  }
}

function updateOf({ topic: { key: topic } }: Audience, deviceId: string, json: string): Update {
  return { message: new Message(`{"type":"position","topic":${JSON.stringify(topic)},"position":${json}}`), topic, deviceId };
}

function cursorMessage(text: string): Message {
  return new Message(`{"type":"cursor","id":"${text}"}`, text);
}
