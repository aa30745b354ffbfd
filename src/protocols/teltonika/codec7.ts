/**
 * AVL records of codec 7, which GH3000 personal trackers send. A read past the end throws a TruncatedError, which
 * `decode.ts` catches.
 *
 * Source: not on the wiki; the layout is the one that frames of such trackers show and public decoders agree on.
 */
import type { ByteReader } from '../../shared/byte-reader.ts';
import type { AvlReading } from './codec-avl.ts';
import { readNumbers } from './io-reader.ts';
import type { MutableAttributes } from './io-reader.ts';
import { numberElements } from './io-elements.ts';
import type { NumberElements } from './io-elements.ts';
import { flag, unsigned } from './io-elements/element.ts';
import type { IoElement } from './io-elements/element.ts';

/** The elements of GH3000 have ids of their own. */
export const GH3000_ELEMENTS: readonly IoElement[] = [
  unsigned(1, 1, 'batteryLevel', '%'),
  flag(2, 'usbConnected'),
  unsigned(5, 4, 'uptime', 's'),
  unsigned(20, 2, 'hdop', '', 0.1),
  unsigned(21, 2, 'vdop', '', 0.1),
  unsigned(22, 2, 'pdop', '', 0.1),
  unsigned(67, 2, 'battery', 'V', 0.001),
  unsigned(221, 1, 'button'),
  unsigned(222, 1, 'sosButton'),
  flag(240, 'motion'),
  flag(244, 'roaming'),
];

const ONE_BYTE: NumberElements = numberElements(GH3000_ELEMENTS, 1);
const TWO_BYTE: NumberElements = numberElements(GH3000_ELEMENTS, 2);
const FOUR_BYTE: NumberElements = numberElements(GH3000_ELEMENTS, 4);

const IDS = { idBytes: 1, countBytes: 1 } as const;

/** 2007-01-01T00:00:00Z in epoch seconds. */
const EPOCH_2007_S = 1_167_609_600;

const HAS_GPS = 0x01;
const HAS_ONE_BYTE_IO = 0x02;
const HAS_TWO_BYTE_IO = 0x04;
const HAS_FOUR_BYTE_IO = 0x08;

// Priority (2 bits) and timestamp (30 bits, s since 2007) | global mask (1)
// | GPS element, one byte IO, two byte IO, four byte IO, each if its bit is set
/** Reads one record. */
export function readCodec7Record(reader: ByteReader): AvlReading {
  const priorityAndTime = reader.u32();
  const globalMask = reader.u8();
  const attributes: MutableAttributes = new Map();
  const gps = (globalMask & HAS_GPS) !== 0 ? readGpsElement(reader, attributes) : NO_GPS;
  if ((globalMask & HAS_ONE_BYTE_IO) !== 0) readNumbers(reader, IDS, 1, ONE_BYTE, attributes, true);
  if ((globalMask & HAS_TWO_BYTE_IO) !== 0) readNumbers(reader, IDS, 2, TWO_BYTE, attributes, true);
  if ((globalMask & HAS_FOUR_BYTE_IO) !== 0) readNumbers(reader, IDS, 4, FOUR_BYTE, attributes, true);
  if (attributes.get('sosButton') === 1) attributes.set('alarm', 'sos');

  const hdop = attributes.get('hdop');
  const record = {
    ts: ((priorityAndTime & 0x3fffffff) + EPOCH_2007_S) * 1000,
    ...gps,
    hdop: typeof hdop === 'number' ? hdop : null,
    priority: priorityAndTime >>> 30,
    eventId: 0,
    attributes,
  };
  return { record, ioCountMatches: true };
}

interface GpsElement {
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly altitude: number | null;
  readonly course: number | null;
  readonly speed: number | null;
  readonly satellites: number | null;
  readonly valid: boolean;
}

const NO_GPS: GpsElement = {
  latitude: null, longitude: null, altitude: null, course: null, speed: null, satellites: null, valid: false,
};

const HAS_COORDINATES = 0x01;
const HAS_ALTITUDE = 0x02;
const HAS_ANGLE = 0x04;
const HAS_SPEED = 0x08;
const HAS_SATELLITES = 0x10;
const HAS_CELL = 0x20;
const HAS_SIGNAL = 0x40;
const HAS_OPERATOR = 0x80;

// GPS mask (1) | latitude, longitude (4 each, IEEE 754) | altitude (2, m) | angle (1, 360/256°) | speed (1, km/h)
// | satellites (1) | LAC (2), cell ID (2) | signal (1) | operator (4), each if its bit is set
function readGpsElement(reader: ByteReader, attributes: MutableAttributes): GpsElement {
  const mask = reader.u8();
  const has = (bit: number): boolean => (mask & bit) !== 0;
  const latitude = has(HAS_COORDINATES) ? reader.f32() : 0;
  const longitude = has(HAS_COORDINATES) ? reader.f32() : 0;
  const altitude = has(HAS_ALTITUDE) ? reader.u16() : null;
  const course = has(HAS_ANGLE) ? (reader.u8() * 360) / 256 : null;
  const speed = has(HAS_SPEED) ? reader.u8() : null;
  const satellites = has(HAS_SATELLITES) ? reader.u8() : null;
  if (has(HAS_CELL)) attributes.set('lac', reader.u16()).set('cid', reader.u16());
  if (has(HAS_SIGNAL)) attributes.set('rssi', reader.u8());
  if (has(HAS_OPERATOR)) attributes.set('operator', reader.u32());
  if (latitude === 0 && longitude === 0) return { ...NO_GPS, satellites };
  return { latitude, longitude, altitude, course, speed, satellites, valid: satellites !== 0 };
}
