/** The recording half of a tracker: which records it makes, as keys, and the frame that sends them. */
import type { AvlCodec } from '../protocols/teltonika/encode.ts';
import { encodeAvlFrame } from '../protocols/teltonika/encode.ts';
import { keyEventId, keyTime, recordKey } from './record-queue.ts';
import type { Vehicle } from './vehicle.ts';
import { IGNITION_EVENT_ID, vehicleMotion, vehicleRecord } from './vehicle.ts';

export class Recorder {
  readonly #vehicle: Vehicle;
  #ignition: boolean | null = null;
  #lastTs = -Infinity;

  constructor(vehicle: Vehicle) {
    this.#vehicle = vehicle;
  }

  /**
   * The keys of the records made at `time` (epoch milliseconds, not before the call before): the periodic one, and an
   * event of the same instant when the ignition has changed. No two calls share a millisecond.
   */
  keysAt(time: number): number[] {
    const ts = Math.max(Math.floor(time), this.#lastTs + 1);
    this.#lastTs = ts;
    const { ignition } = vehicleMotion(this.#vehicle, ts);
    const changed = this.#ignition !== null && ignition !== this.#ignition;
    this.#ignition = ignition;
    return changed ? [recordKey(ts, 0), recordKey(ts, IGNITION_EVENT_ID)] : [recordKey(ts, 0)];
  }
}

/** The frame of these records: the same bytes every time. */
export function encodeKeys(vehicle: Vehicle, keys: readonly number[], codec: AvlCodec): Buffer {
  return encodeAvlFrame(keys.map((key) => vehicleRecord(vehicle, keyTime(key), keyEventId(key))), codec);
}

/** The largest AVL packet of the vendor's trackers. */
const LARGEST_PACKET_BYTES = 1_280;
const FRAME_OVERHEAD_BYTES = 15;
const LARGEST_COUNT = 255;

/** How many records of this vehicle a tracker puts into one frame at most. */
export function maxRecordsPerFrame(vehicle: Vehicle, codec: AvlCodec): number {
  const recordBytes = encodeKeys(vehicle, [recordKey(0, 0)], codec).length - FRAME_OVERHEAD_BYTES;
  return Math.min(LARGEST_COUNT, Math.max(1, Math.floor((LARGEST_PACKET_BYTES - FRAME_OVERHEAD_BYTES) / recordBytes)));
}
