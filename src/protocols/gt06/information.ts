/**
 * The information transmission packet (94): everything that is not a location, by a second number. An information type
 * that is not in the table is kept whole as `data`, and so is one whose content is not what the document says.
 *
 * Sources: Concox, "GPS Tracker Communication Protocol" (JM-VL03 V1.1.2), packet 94; JM-VL01 V19.
 */
import type { ByteReader } from '../../shared/byte-reader.ts';
import { isStorableText, withoutPadding } from '../../shared/text.ts';
import { readTime } from './fix.ts';
import type { Decode, RecordDraft } from './record.ts';
import { readVolts } from './status.ts';

/** 7979 94. Information type (1), content. */
export function readInformation(content: ByteReader, record: RecordDraft): void {
  const type = content.u8();
  record.set('informationType', type);
  INFORMATION[type]?.(content, record);
}

/** 7878 94. External voltage (2, 0.01 V). */
export function readVoltageInformation(content: ByteReader, record: RecordDraft): void {
  record.set('power', readVolts(content));
}

const INFORMATION: Readonly<Record<number, Decode>> = {
  0x00: readVoltageInformation,
  0x04: readTerminalSettings,
  0x05: readDoor,
  0x09: readSatellites,
  0x0a: readSimCard,
  0x0b: readNetworkOrVoltage,
  0x0d: readFuel,
  0x1b: readRfid,
  0x1e: readClimate,
};

/** A Map, since devices may send any name: an object would know `constructor` as well. */
const SETTING_NAMES: ReadonlyMap<string, string> = new Map([
  ['ALM1', 'alarm1Status'],
  ['ALM2', 'alarm2Status'],
  ['ALM3', 'alarm3Status'],
  ['ALM4', 'alarm4Status'],
  ['STA1', 'otherStatus'],
  ['DYD', 'engineStatus'],
]);

/** 04. `name=value` joined by semicolons; bit fields are two hexadecimal digits. With a NUL inside it is no text. */
function readTerminalSettings(content: ByteReader, record: RecordDraft): void {
  const text = withoutPadding(restAsText(content));
  if (!isStorableText(text)) return;
  content.skip(content.remaining);
  for (const setting of text.split(';')) {
    const [name = '', ...values] = setting.split('=');
    if (values.length === 0) continue;
    const value = values.join('=');
    const bits = SETTING_NAMES.get(name);
    if (bits !== undefined && /^[\da-f]{1,8}$/i.test(value)) record.set(bits, Number.parseInt(value, 16));
    else record.set(`setting${name}`, value);
  }
}

/** What is left, a character a byte; it stays unread. */
function restAsText(content: ByteReader): string {
  return content.bytes.toString('latin1', content.offset, content.offset + content.remaining);
}

const TIME_BYTES = 6;

/** 05. Date and time (6, not from all devices), flags (1): bit 0 door open, 1 trigger level, 2 port level. */
function readDoor(content: ByteReader, record: RecordDraft): void {
  if (content.remaining > TIME_BYTES) record.ts = readTime(content, record.zoneOffsetMs);
  const flags = content.u8();
  record.set('door', (flags & 0x01) !== 0);
  record.set('io1', (flags & 0x04) !== 0);
}

/**
 * 09. GPS module (1: 0 none, 1 searching, 2 2D, 3 3D, 4 asleep), satellites in the fix (1), the strength of each (1),
 * satellites seen besides (1), the strength of each; the same for BeiDou; length (1) and extension.
 */
function readSatellites(content: ByteReader, record: RecordDraft): void {
  record.set('gpsStatus', content.u8());
  const gps = readConstellation(content, record, 'gps');
  if (content.remaining < 2) {
    record.satellites = gps.used;
    record.set('satVisible', gps.used + gps.besides);
    return;
  }
  record.set('beidouStatus', content.u8());
  const beidou = readConstellation(content, record, 'beidou');
  record.satellites = gps.used + beidou.used;
  record.set('satVisible', record.satellites + gps.besides + beidou.besides);
  if (content.remaining === 1) content.skip(1);
}

function readConstellation(content: ByteReader, record: RecordDraft, name: string): { used: number; besides: number } {
  const used = content.take(content.u8());
  if (used.length > 0) record.set(`${name}Signals`, [...used].join(','));
  const besides = content.remaining > 0 ? content.take(content.u8()) : Buffer.alloc(0);
  if (besides.length > 0) record.set(`${name}VisibleSignals`, [...besides].join(','));
  return { used: used.length, besides: besides.length };
}

/** 0A. IMEI (8), IMSI (8), ICCID (10, padded with F). */
function readSimCard(content: ByteReader, record: RecordDraft): void {
  content.skip(8);
  record.set('imsi', content.hex(8).replace(/^0/, ''));
  record.set('iccid', content.hex(10).replace(/f+$/, ''));
}

/** 0B. One byte: 0 2G, otherwise 4G. Two bytes: external voltage, 0.01 V. */
function readNetworkOrVoltage(content: ByteReader, record: RecordDraft): void {
  if (content.remaining === 1) record.set('networkTechnology', content.u8() > 0 ? '4G' : '2G');
  else if (content.remaining === 2) record.set('power', readVolts(content));
}

/** Address, output, temperature, version, wave and states, level, moving, excitations, checksum. */
const FUEL_SENSOR = /!AIOIL,\d+,\d+\.\d+,(\d+\.\d+),[ -+\--~]+,\d{4},(\d+\.\d+),[01],\d+,[\da-f]{2}/i;

/** 0D. Date and time (6, not from all devices), the sentence of an ultrasonic fuel sensor. */
function readFuel(content: ByteReader, record: RecordDraft): void {
  const text = restAsText(content);
  const sentence = FUEL_SENSOR.exec(text);
  if (sentence === null) return;
  if (sentence.index === TIME_BYTES) record.ts = readTime(content, record.zoneOffsetMs);
  content.skip(content.remaining);
  record.set('temp1', Number(sentence[1]));
  record.set('fuel', Number(sentence[2]));
  record.set('fuelSensor', sentence[0]);
}

const CARD_BYTES = 8;

/** 1B. Text; or header (1), kind (1), card (4), checksum (1), footer (1). */
function readRfid(content: ByteReader, record: RecordDraft): void {
  const first = content.bytes[content.offset] ?? 0;
  if (/[a-z]/i.test(String.fromCharCode(first))) {
    const text = withoutPadding(restAsText(content)).trim();
    const bytes = content.take(content.remaining);
    record.set('serial', isStorableText(text) ? text : Buffer.from(bytes));
  } else if (content.remaining === CARD_BYTES) {
    content.skip(2);
    record.set('driverUniqueId', content.hex(4));
    content.skip(2);
  }
}

/** 1E. Temperature (4, signed, 0.1 °C), humidity (4, 0.1 %). */
function readClimate(content: ByteReader, record: RecordDraft): void {
  record.set('temp1', content.i32() / 10);
  record.set('humidity', content.i32() / 10);
}
