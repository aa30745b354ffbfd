/**
 * Lists of Bluetooth beacons and EYE sensors as attributes `beacon1…`, `tag1…` (names as in Traccar; units in the
 * README). A list that does not follow its layout gives null, and its bytes are kept raw by the caller.
 *
 * Source: Teltonika wiki, "EYE BEACON / BTSID1" (FM packet parsing example), "EYE SENSOR / BTSMP1" (table "EYE Sensor
 * Parameter IDs") and "Beacon List" (parsing advanced beacon data).
 */
import { ByteReader } from '../../shared/byte-reader.ts';
import { TruncatedError } from '../../shared/errors.ts';
import type { AttributeValue } from '../../shared/model.ts';
import { textOrBytes } from '../../shared/text.ts';

export type NamedValue = readonly [name: string, value: AttributeValue];

/** Reads AVL element 385; the first beacon is number `first`. */
export function readBeacons(bytes: Buffer, first: number): readonly NamedValue[] | null {
  return untilTruncated(() => readBeaconList(new ByteReader(bytes), first));
}

/** Reads AVL elements 548, 10828 to 10831 and 11317; the first tag is number `first`. */
export function readTags(bytes: Buffer, first: number): readonly NamedValue[] | null {
  return untilTruncated(() => readTagList(new ByteReader(bytes), first));
}

const HAS_RSSI = 0x01;
const HAS_BATTERY = 0x02;
const HAS_TEMPERATURE = 0x04;
const IS_IBEACON = 0x20;

// Data part (1: part number, parts in all, a half byte each), then each beacon:
// BLE beacon flags (1) | beacon ID (iBeacon 20: UUID, major, minor; Eddystone 16: namespace, instance)
// | signal strength (1, signed) | battery voltage (2) | temperature (2), each if its flag is set
function readBeaconList(reader: ByteReader, first: number): NamedValue[] {
  const dataPart = reader.u8();
  const values: NamedValue[] = [['beaconPart', dataPart >> 4], ['beaconParts', dataPart & 0x0f]];
  for (let number = first; reader.remaining > 0; number += 1) {
    const flags = reader.u8();
    if ((flags & IS_IBEACON) !== 0) {
      values.push([`beacon${number}Uuid`, reader.hex(16)]);
      values.push([`beacon${number}Major`, reader.u16()], [`beacon${number}Minor`, reader.u16()]);
    } else {
      values.push([`beacon${number}Namespace`, reader.hex(10)], [`beacon${number}Instance`, reader.hex(6)]);
    }
    if ((flags & HAS_RSSI) !== 0) values.push([`beacon${number}Rssi`, reader.i8()]);
    if ((flags & HAS_BATTERY) !== 0) values.push([`beacon${number}Battery`, reader.u16() / 1000]);
    if ((flags & HAS_TEMPERATURE) !== 0) values.push([`beacon${number}Temp`, reader.u16()]);
  }
  return values;
}

// Header (1), then each tag: length (1) | parameters of that many bytes in all
function readTagList(reader: ByteReader, first: number): NamedValue[] {
  const values: NamedValue[] = [];
  reader.skip(1);
  for (let number = first; reader.remaining > 0; number += 1) {
    const tag = new ByteReader(reader.take(reader.u8()));
    while (tag.remaining > 0) values.push(...readParameter(tag, `tag${number}`));
  }
  return values;
}

/** What is known of a parameter; `bytes` is the only length that has this meaning. */
interface TagParameter {
  readonly suffix: string;
  readonly bytes: number;
  readonly read: (reader: ByteReader) => AttributeValue;
}

const TAG_PARAMETERS = new Map<number, TagParameter>([
  [0, { suffix: 'Rssi', bytes: 1, read: (reader) => reader.i8() }],
  [6, { suffix: 'Temp', bytes: 2, read: (reader) => reader.i16() / 100 }],
  [7, { suffix: 'Humidity', bytes: 1, read: (reader) => reader.u8() }],
  [8, { suffix: 'Magnet', bytes: 1, read: (reader) => reader.u8() !== 0 }],
  [9, { suffix: 'Motion', bytes: 1, read: (reader) => reader.u8() !== 0 }],
  [10, { suffix: 'MotionCount', bytes: 2, read: (reader) => reader.u16() }],
  [11, { suffix: 'Pitch', bytes: 1, read: (reader) => reader.i8() }],
  [12, { suffix: 'AngleRoll', bytes: 2, read: (reader) => reader.i16() }],
  [13, { suffix: 'LowBattery', bytes: 1, read: (reader) => reader.u8() !== 0 }],
  [14, { suffix: 'Battery', bytes: 2, read: (reader) => reader.u16() }],
  [15, { suffix: 'Mac', bytes: 6, read: (reader) => reader.hex(6) }],
  [16, { suffix: 'MagnetCount', bytes: 2, read: (reader) => reader.u16() }],
]);

const BEACON_ID = 1;
const ADDITIONAL_DATA = 2;
const DEVICE_NAME = 5;

// Parameter ID (1) | length (1) | value
function readParameter(reader: ByteReader, tag: string): readonly NamedValue[] {
  const id = reader.u8();
  const value = reader.take(reader.u8());
  const known = TAG_PARAMETERS.get(id);
  if (known?.bytes === value.length) {
    return [[`${tag}${known.suffix}`, known.read(new ByteReader(value))]];
  }
  if (id === BEACON_ID) return [[`${tag}Id`, value.toString('hex')]];
  if (id === DEVICE_NAME) return [[`${tag}Name`, textOrBytes(value)]];
  if (id === ADDITIONAL_DATA) return readAdditionalData(value, tag);
  return [[`${tag}Parameter${id}`, Buffer.from(value)]];
}

const LOW_BATTERY = 0x40;
const HAS_VOLTAGE = 0x80;

// What the operator told the device to capture. From an EYE beacon: flags (1) and, if bit 7 is set,
// battery voltage (1) in mV = 2000 + value × 10. Its flags have no bit but these two.
function readAdditionalData(value: Buffer, tag: string): readonly NamedValue[] {
  const [flags = 0, voltage] = value;
  const expectedBytes = (flags & HAS_VOLTAGE) !== 0 ? 2 : 1;
  if (value.length !== expectedBytes || (flags & ~(LOW_BATTERY | HAS_VOLTAGE)) !== 0) {
    return [[`${tag}Data`, Buffer.from(value)]];
  }
  const lowBattery: NamedValue = [`${tag}LowBattery`, (flags & LOW_BATTERY) !== 0];
  return voltage === undefined ? [lowBattery] : [lowBattery, [`${tag}Voltage`, 2000 + voltage * 10]];
}

function untilTruncated<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof TruncatedError) return null;
    throw error;
  }
}
