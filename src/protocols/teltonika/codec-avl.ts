/**
 * AVL records of codecs 8, 8 Extended and 16. Judges nothing but the structure: a read past the end throws a
 * TruncatedError, which `decode.ts` catches; every other oddity is a value.
 *
 * Source: Teltonika wiki, "Teltonika Data Sending Protocols".
 */
import type { ByteReader } from '../../shared/byte-reader.ts';
import type { TelemetryRecord } from '../../shared/model.ts';
import { alarmOf } from './alarms.ts';
import type { AvlLayout } from './avl-layout.ts';
import { readIo } from './io-reader.ts';
import type { MutableAttributes } from './io-reader.ts';

/** A record as it stands in the frame. */
export interface AvlReading {
  readonly record: TelemetryRecord;
  /** N of total IO is the sum of the groups; if not, the reading is probably out of step with the frame. */
  readonly ioCountMatches: boolean;
}

/** I/O 69 without a fix: GNSS off, GNSS on without fix. */
const GNSS_OFF = 0;
const GNSS_WITHOUT_FIX = 2;

const MAX_ANGLE = 360;

// Timestamp (8, ms) | priority (1) | GPS element | IO element
//   GPS element: longitude (4, signed, 1e-7°) | latitude (4) | altitude (2, signed, m) | angle (2, °)
//                | satellites (1) | speed (2, km/h)
//   IO element: event IO ID (1; 8E and 16: 2) | generation type (1; only 16) | N of total IO (1; 8E: 2) | groups
/** Reads one AVL record. */
export function readAvlRecord(reader: ByteReader, layout: AvlLayout): AvlReading {
  const ts = reader.u32() * 0x1_0000_0000 + reader.u32();
  const priority = reader.u8();
  const longitude = reader.i32() / 1e7;
  const latitude = reader.i32() / 1e7;
  const altitude = reader.i16();
  const angle = reader.u16();
  const satellites = reader.u8();
  const speed = reader.u16();
  const eventId = layout.idBytes === 1 ? reader.u8() : reader.u16();
  const generationType = layout.hasGenerationType ? reader.u8() : undefined;
  const ioCount = layout.countBytes === 1 ? reader.u8() : reader.u16();
  const attributes: MutableAttributes = new Map();
  const ioCountMatches = readIo(reader, layout, attributes) === ioCount;

  if (generationType !== undefined) attributes.set('generationType', generationType);
  if (angle > MAX_ANGLE) attributes.set('angle', angle);
  if (eventId !== 0) setAlarm(attributes, eventId);
  const located = longitude !== 0 || latitude !== 0;
  const record: TelemetryRecord = {
    ts,
    latitude: located ? latitude : null,
    longitude: located ? longitude : null,
    altitude: located ? altitude : null,
    course: located && angle <= MAX_ANGLE ? angle : null,
    speed: located ? speed : null,
    satellites,
    hdop: hdopOf(attributes),
    valid: located && satellites > 0 && hasFix(attributes),
    priority,
    eventId,
    attributes,
  };
  return { record, ioCountMatches };
}

function setAlarm(attributes: MutableAttributes, eventId: number): void {
  const alarm = alarmOf(eventId, attributes);
  if (alarm !== undefined) attributes.set('alarm', alarm);
}

function hdopOf(attributes: MutableAttributes): number | null {
  const hdop = attributes.get('hdop');
  return typeof hdop === 'number' ? hdop : null;
}

function hasFix(attributes: MutableAttributes): boolean {
  const status = attributes.get('gnssStatus');
  return status !== GNSS_OFF && status !== GNSS_WITHOUT_FIX;
}
