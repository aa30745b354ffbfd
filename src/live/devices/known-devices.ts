/**
 * What this process knows of each device: its newest record, the newest with a place, and where in the stream the feed
 * was when that came. Bounded: the device that was not heard of for the longest goes first, and from then on nothing
 * before its last record can be resumed.
 *
 * Newest is the greatest (ts, event id), whenever it came in; what is not newer than what is known is no news.
 */
import { LRUCache } from 'lru-cache';
import type { Cursor } from '../messages/cursor.ts';
import { isAfter } from '../messages/cursor.ts';
import type { LivePosition } from '../messages/position-json.ts';
import { hasPlace, isNewer } from '../messages/position-json.ts';

/** An entry of the stream. */
export interface Origin {
  readonly partition: number;
  readonly entryId: string;
}

export interface KnownDevice {
  /** null: it has sent none yet. */
  newest: LivePosition | null;
  /** The newest with coordinates. */
  place: LivePosition | null;
  /** Where the feed was when the newest came; null: none has come. */
  origin: Origin | null;
  /** The database was asked: nothing that it has is newer. */
  verified: boolean;
  /** The newest came from the database and is no news: who follows the device has it, or is shown it on purpose. */
  quiet: boolean;
}

export class KnownDevices {
  readonly #devices: LRUCache<string, KnownDevice>;
  readonly #coveredFrom: string[];
  #forgotten = 0;

  /**
   * @param capacity most devices
   * @param coveredFrom for each partition the entry behind which everything is known
   */
  constructor(capacity: number, coveredFrom: Cursor) {
    this.#coveredFrom = [...coveredFrom];
    this.#devices = new LRUCache<string, KnownDevice>({
      max: capacity,
      dispose: ({ origin }, _deviceId, reason) => {
        if (reason !== 'evict') return;
        this.#forgotten += 1;
        if (origin !== null) this.#forgetBefore(origin);
      },
    });
  }

  get size(): number {
    return this.#devices.size;
  }

  get capacity(): number {
    return this.#devices.max;
  }

  /** Devices that were dropped to make room, ever. */
  get forgotten(): number {
    return this.#forgotten;
  }

  get(deviceId: string): KnownDevice | undefined {
    return this.#devices.get(deviceId);
  }

  /** Every device that is known. A list of its own: looking at a device moves it to the end of the others. */
  deviceIds(): readonly string[] {
    return [...this.#devices.keys()];
  }

  /** Takes a record in. @returns whether it is news: newer than all that was known of the device */
  observe(position: LivePosition, origin: Origin): boolean {
    const device = this.#device(position.deviceId);
    if (hasPlace(position) && (device.place === null || isNewer(position, device.place))) device.place = position;
    if (device.newest !== null && !isNewer(position, device.newest)) return false;
    device.newest = position;
    device.origin = origin;
    device.quiet = false;
    return true;
  }

  /**
   * Takes in what the database says of a device and what came before anything that can be resumed.
   * @returns whether it is newer than all that was known
   */
  recall(position: LivePosition, partition: number): boolean {
    if (!this.observe(position, { partition, entryId: this.#coveredFrom[partition] ?? '0-0' })) return false;
    this.#device(position.deviceId).quiet = true;
    return true;
  }

  /** The database has said what it has of the device, and that is known now. */
  verify(deviceId: string): void {
    this.#device(deviceId).verified = true;
  }

  /** Entries were missed: what the database has may be newer, and nothing before `cursor` can be resumed. */
  doubtAll(cursor: Cursor): void {
    for (const device of this.#devices.values()) device.verified = false;
    for (const [partition, entryId] of cursor.entries()) this.#forgetBefore({ partition, entryId });
  }

  /** Whether all that came after `cursor` is known. */
  covers(cursor: Cursor): boolean {
    return this.#coveredFrom.every((from, partition) => !isAfter(from, cursor[partition] ?? '0-0'));
  }

  /** Whether the newest record of the device came after `cursor`. */
  hasNewsSince({ origin }: KnownDevice, cursor: Cursor): boolean {
    return origin !== null && isAfter(origin.entryId, cursor[origin.partition] ?? '0-0');
  }

  #device(deviceId: string): KnownDevice {
    let device = this.#devices.get(deviceId);
    if (device === undefined) {
      device = { newest: null, place: null, origin: null, verified: false, quiet: false };
      this.#devices.set(deviceId, device);
    }
    return device;
  }

  #forgetBefore({ partition, entryId }: Origin): void {
    if (isAfter(entryId, this.#coveredFrom[partition] ?? '0-0')) this.#coveredFrom[partition] = entryId;
  }
}
