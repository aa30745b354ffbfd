/**
 * What the trackers of a benchmark send: Codec 8 Extended, a record a second, twelve I/O elements, values that change
 * as those of a moving vehicle do. The same for the same device and number.
 */
import type { AvlRecord } from '../../src/protocols/teltonika/encode.ts';
import { encodeAvlFrame } from '../../src/protocols/teltonika/encode.ts';
import { fleetImeis } from '../../src/simulator/imei.ts';

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

/** The time of record 0: the beginning of yesterday. */
export const FIRST_TS: number = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS;

/**
 * The record of this second. What the trackers of a fleet send is of the present; older records would be late ones,
 * which are rolled up once more.
 */
export function presentRecord(): number {
  return Math.floor((Date.now() - FIRST_TS) / SECOND_MS);
}

/** Gives records of the present away, none twice. @returns gives so many, of every device: the number of the first */
export function presentRecords(): (count: number) => number {
  let next = 0;
  return (count) => {
    const first = Math.max(next, presentRecord());
    next = first + count;
    return first;
  };
}

/** Records of a device that fit before the end of that day. */
export const RECORDS_OF_A_DAY = DAY_MS / SECOND_MS;

/** The identifiers of so many devices. */
export function imeisOf(devices: number): string[] {
  return fleetImeis(1, devices, '35630700');
}

/** Record number `n` of a device. */
export function avlRecord(device: number, n: number): AvlRecord {
  const way = n * 14 + device * 1_000;
  return {
    ts: FIRST_TS + n * SECOND_MS,
    priority: 0,
    longitude: 25.2797 + (device % 100) * 0.01 + (n % 5_000) * 0.000_12,
    latitude: 54.6872 + Math.floor(device / 100) * 0.01 + (n % 3_000) * 0.000_09,
    altitude: 100 + (n % 40),
    angle: (n * 3 + device) % 360,
    satellites: 8 + (n % 6),
    speed: 40 + (n % 30),
    eventId: 0,
    io: [
      [239, 1, 1], [240, 1, 1], [21, 1, 3 + (n % 3)], [69, 1, 1], [113, 1, 97],
      [66, 2, 13_800 + (n % 300)], [67, 2, 4_050 + (n % 20)], [181, 2, 12 + (n % 8)], [182, 2, 7 + (n % 5)],
      [24, 2, 40 + (n % 30)], [16, 4, 42_872_421 + way], [241, 4, 24_602],
    ],
  };
}

/** The frame with `count` records of a device from number `first` on. */
export function sampleFrame(device: number, first: number, count: number): Buffer {
  return encodeAvlFrame(Array.from({ length: count }, (_, n) => avlRecord(device, first + n)), '8E');
}
