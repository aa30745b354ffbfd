/**
 * Date, time and position as every GT06 message writes them. An impossible date is a `FieldError`, and so is a
 * coordinate out of range that the device calls a fix.
 *
 * Source: Concox, "GPS Tracker Communication Protocol" (GT06N, JM-VL03), GPS location packet.
 */
import type { ByteReader } from '../../shared/byte-reader.ts';
import { FieldError } from './record.ts';
import type { RecordDraft } from './record.ts';

/** Coordinates are counted in 1/30000 minute. */
export const UNITS_PER_DEGREE = 1_800_000;

const COURSE_MASK = 0x03ff;
const NORTH_BIT = 0x0400;
const WEST_BIT = 0x0800;
const POSITIONED_BIT = 0x1000;
const IGNITION_KNOWN_BIT = 0x4000;
const IGNITION_BIT = 0x8000;
const FULL_CIRCLE = 360;

/** How a message departs from satellites (1), latitude (4), longitude (4), speed (1), course and status (2). */
export interface PlaceLayout {
  readonly hasSatellites: boolean;
  readonly speedBytes: 0 | 1 | 2;
  /** Course and status stand before the speed. */
  readonly isStatusFirst: boolean;
}

const GENERAL: PlaceLayout = { hasSatellites: true, speedBytes: 1, isStatusFirst: false };

/** Date and time (6), then the place: the GPS information of location and alarm packets. */
export function readFix(content: ByteReader, record: RecordDraft, layout: PlaceLayout = GENERAL): void {
  record.ts = readTime(content, record.zoneOffsetMs);
  readPlace(content, record, layout);
}

/**
 * Year since 2000, month, day, hour, minute, second: one byte each. Null when all are zero, which devices send before
 * their clock was set.
 */
export function readTime(content: ByteReader, zoneOffsetMs: number): number | null {
  const bytes = content.take(6);
  if (bytes.every((byte) => byte === 0)) return null;
  return timeOf([...bytes]) - zoneOffsetMs;
}

/** The same six numbers, two BCD digits each, always UTC. */
export function readBcdTime(content: ByteReader): number {
  const digits = content.hex(6);
  if (!/^\d+$/.test(digits)) throw new FieldError('time', `${digits} is not BCD`);
  return timeOf(Array.from({ length: 6 }, (_, index) => Number(digits.slice(index * 2, index * 2 + 2))));
}

function timeOf(parts: readonly number[]): number {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const ts = Date.UTC(2000 + year, month - 1, day, hour, minute, second);
  const date = new Date(ts);
  // Date.UTC carries over: a value that came back changed was out of range.
  const isSame = year < 100 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
    && date.getUTCHours() === hour && date.getUTCMinutes() === minute && date.getUTCSeconds() === second;
  if (!isSame) throw new FieldError('time', `${parts.join(' ')} is no date and time`);
  return ts;
}

/**
 * Length of the GPS information (high 4 bits) and satellites (low 4 bits), latitude, longitude, speed in km/h, course
 * and status.
 */
export function readPlace(content: ByteReader, record: RecordDraft, layout: PlaceLayout = GENERAL): void {
  record.hasFix = true;
  if (layout.hasSatellites) record.satellites = content.u8() & 0x0f;
  const latitude = content.u32() / UNITS_PER_DEGREE;
  const longitude = content.u32() / UNITS_PER_DEGREE;
  const statusBefore = layout.isStatusFirst ? content.u16() : 0;
  if (layout.speedBytes > 0) record.speed = layout.speedBytes === 1 ? content.u8() : content.u16();
  setPosition(record, latitude, longitude, layout.isStatusFirst ? statusBefore : content.u16());
}

/**
 * Course and status: bit 15 ACC and bit 14 'bit 15 is meaningful', 13 differential, 12 positioned, 11 west, 10 north,
 * 9..0 course. Coordinates of a device that is not positioned are its last known ones.
 */
function setPosition(record: RecordDraft, latitude: number, longitude: number, status: number): void {
  record.valid = (status & POSITIONED_BIT) !== 0;
  const course = status & COURSE_MASK;
  if (course <= FULL_CIRCLE) record.course = course;
  else record.set('course', course);
  if ((status & IGNITION_KNOWN_BIT) !== 0) record.set('ignition', (status & IGNITION_BIT) !== 0);
  if (!record.valid && (latitude > 90 || longitude > 180 || (latitude === 0 && longitude === 0))) return;
  record.latitude = checked('latitude', latitude, 90) * ((status & NORTH_BIT) === 0 ? -1 : 1);
  record.longitude = checked('longitude', longitude, 180) * ((status & WEST_BIT) === 0 ? 1 : -1);
  // 0 × −1 is −0, which is not 0 to everyone.
  record.latitude += 0;
  record.longitude += 0;
}

function checked(field: string, degrees: number, limit: number): number {
  if (degrees > limit) throw new FieldError(field, `${degrees} degrees is beyond ${limit}`);
  return degrees;
}
