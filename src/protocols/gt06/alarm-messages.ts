/**
 * Alarm packets: where the device is, its state, and what happened. One function a layout.
 *
 * Sources: Concox, "GPS Tracker Communication Protocol" (GT06N, JM-VL03), packets 16, 26, 27, A3, A4, A5; Jimi IoT,
 * packet 39; "Communication Protocol of JC100" and JC400, packet 95; LW4G, packet A2 of 59 bytes.
 */
import { textOrBytes } from '../../shared/text.ts';
import type { ByteReader } from '../../shared/byte-reader.ts';
import type { AlarmFamily } from './alarms.ts';
import { readFix, readPlace, readTime } from './fix.ts';
import { readVoltageTail, setCard } from './location-tails.ts';
import { readModules, readTypedCell } from './modules.ts';
import { CELL_2G, CELL_4G, readCell, readOperator, readSizedCell, readStations } from './network.ts';
import type { RecordDraft } from './record.ts';
import {
  readAlarmAndLanguage, readTerminalInformation, readTerminalState, readVolts, setBatteryLevel, setLanguage,
} from './status.ts';

/** Terminal information, voltage level, GSM signal, alert, language. */
const STATE_BYTES = 5;
const ALTITUDE_BYTES = 2;
const MILEAGE_BYTES = 4;
const RFID_BYTES = 8;
const FENCE_BYTES = 1;
const UNSIZED_BYTES = 13;

const AFTER_CELL = [0, MILEAGE_BYTES, RFID_BYTES, ALTITUDE_BYTES].map((bytes) => STATE_BYTES + bytes);
const AFTER_CELL_WITH_FENCE = [0, MILEAGE_BYTES].map((bytes) => STATE_BYTES + FENCE_BYTES + bytes);

/** 16, 32. GPS information, LBS length (1) and base station, terminal state, alert, language, an optional tail. */
export function readOriginalAlarm(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  // VXT01 gives no LBS length.
  if (content.remaining === UNSIZED_BYTES) {
    readCell(content, record);
    readVoltageTail(content, record);
    return;
  }
  readStateAfterCell(content, record, 'first');
}

/** 26, A3. The same of the later devices, whose alarm codes differ in two places. */
export function readAlarm(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  readStateAfterCell(content, record, 'later');
}

function readStateAfterCell(content: ByteReader, record: RecordDraft, family: AlarmFamily): void {
  readSizedCell(content, record, AFTER_CELL);
  readTerminalState(content, record);
  readAlarmAndLanguage(content, record, family);
  if (content.remaining === ALTITUDE_BYTES) record.altitude = content.i16();
  else if (content.remaining === MILEAGE_BYTES) record.set('odometer', content.u32());
  else if (content.remaining === RFID_BYTES) setCard(record, content.hex(RFID_BYTES));
}

const NO_FENCE = 0xff;

/** 27, A4. As 26 with the number of the fence (1, FF none) behind the language, and an alarm code of 12 bits. */
export function readFenceAlarm(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  readSizedCell(content, record, AFTER_CELL_WITH_FENCE);
  readTerminalState(content, record);
  readAlarmAndLanguage(content, record, 'later', true);
  if (content.remaining > 0) {
    const fence = content.u8();
    if (fence !== NO_FENCE) record.set('geofence', fence);
  }
  if (content.remaining === MILEAGE_BYTES) record.set('odometer', content.u32());
}

/** A3 of 7 or 19 bytes (SeeWorld) is a status, anything longer an alarm. */
export function readSingleFenceAlarm(content: ByteReader, record: RecordDraft): void {
  if (content.remaining > SEEWORLD_STATUS_BYTES) readAlarm(content, record);
  else if (content.remaining === SEEWORLD_STATUS_BYTES) readActivityStatus(content, record);
  else readStatusAndAlarm(content, record);
}

const SEEWORLD_STATUS_BYTES = 19;

function readStatusAndAlarm(content: ByteReader, record: RecordDraft): void {
  readTerminalState(content, record);
  readAlarmAndLanguage(content, record, 'first');
}

/**
 * Terminal information (1), extension (2), voltage level (1), GSM signal (1), external voltage (1, V), language (1),
 * sound (1), light (1), steps (4), battery (1, %), charging (1), moving (1).
 */
function readActivityStatus(content: ByteReader, record: RecordDraft): void {
  readTerminalInformation(content, record);
  record.set('extension', content.u16());
  record.set('voltageLevel', content.u8());
  record.set('rssi', content.u8());
  record.set('power', content.u8());
  setLanguage(record, content.u8());
  record.set('sound', content.u8() > 0);
  record.set('light', content.u8() > 0);
  record.set('steps', content.u32());
  record.set('batteryLevel', content.u8());
  record.set('charge', content.u8() === 1);
  record.set('motion', content.u8() === 1);
}

/** 39. GPS information, base station with its generation, terminal state, alert of 12 bits, language, modules. */
export function readModuleAlarm(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  readTypedCell(content, record);
  readTerminalState(content, record);
  readAlarmAndLanguage(content, record, 'later', true);
  readModules(content, record, 1);
}

const STATION_ALARM_BYTES = 18;

/** 19. Base station, terminal state, alert, language. From 18 bytes on (Space10X) a packet of base stations alone. */
export function readStationAlarm(content: ByteReader, record: RecordDraft): void {
  if (content.remaining >= STATION_ALARM_BYTES) {
    readCountedStations(content, record);
    return;
  }
  readCell(content, record);
  readStatusAndAlarm(content, record);
}

/** Date and time (6), MCC (2), MNC (1), count (1), count × (LAC (2), cell id (3), RSSI (1)), language (2). */
function readCountedStations(content: ByteReader, record: RecordDraft): void {
  record.ts = readTime(content, record.zoneOffsetMs);
  const operator = readOperator(content);
  readStations(content, record, operator, CELL_2G, content.u8(), 0);
  if (content.remaining === 2) setLanguage(record, content.u16());
}

/** A5. 4G base station data, terminal state, alert, language: an alarm of a device that has no fix and no time. */
export function readStationAlarm4g(content: ByteReader, record: RecordDraft): void {
  readCell(content, record, CELL_4G);
  readTerminalState(content, record);
  readAlarmAndLanguage(content, record, 'later');
}

/**
 * A2 of 59 bytes (LW4G): GPS information, 4G base station data, network (1), terminal information (1), external voltage
 * (2), voltage level (1), GSM signal (1), alert (1), language (1), mileage (4), running time (4, s), terminal id (8),
 * inputs (2).
 */
export function readNetworkAlarm(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  readCell(content, record, CELL_4G);
  record.set('networkIndicator', content.u8());
  readTerminalInformation(content, record);
  record.set('power', readVolts(content));
  setBatteryLevel(record, content.u8());
  record.set('rssi', content.u8());
  readAlarmAndLanguage(content, record, 'first');
  record.set('odometer', content.u32());
  record.set('hours', content.u32() * 1000);
  record.set('terminalId', content.hex(8));
  record.set('input', content.u16());
}

const CAMERA_ALARMS: Readonly<Record<number, string>> = {
  0x0e: 'lowPower',
  0x76: 'temperature',
  0x80: 'vibration',
  0x87: 'overspeed',
  0x88: 'powerCut',
  0x90: 'hardAcceleration',
  0x91: 'hardBraking',
  0x92: 'hardCornering',
  0x93: 'accident',
};

const BUTTON_EVENT = 0x01;
const SHORT_CAMERA_ALARM_BYTES = 7;
const LATER_CAMERA_MARK = 0xffff;

/**
 * 95, cameras. JC100: date and time (6), event (1); or with latitude (4), longitude (4), course and status (2) before
 * the event, and event data (2) and names of files behind it. JC400: FFFF, version (1), date and time, satellites (1),
 * latitude, longitude, course and status, speed (2), external voltage (2, 0.1 V), event, event data, names of files.
 */
export function readCameraAlarm(content: ByteReader, record: RecordDraft): void {
  const isShort = content.remaining <= SHORT_CAMERA_ALARM_BYTES;
  const isLater = !isShort && content.bytes.readUInt16BE(content.offset) === LATER_CAMERA_MARK;
  if (isLater) {
    content.skip(2);
    record.set('version', content.u8());
  }
  record.ts = readTime(content, record.zoneOffsetMs);
  if (!isShort) {
    readPlace(content, record, { hasSatellites: isLater, speedBytes: isLater ? 2 : 0, isStatusFirst: isLater });
  }
  if (isLater) record.set('power', content.u16() / 10);
  const event = content.u8();
  record.set('event', event);
  record.eventCode = event;
  record.addAlarm(event === BUTTON_EVENT ? buttonAlarm(isShort) : CAMERA_ALARMS[event]);
  if (content.remaining >= 2) record.set('eventData', content.u16());
  const files = textOrBytes(content.take(content.remaining));
  if (files.length > 0) record.set('eventFiles', files);
}

function buttonAlarm(isShort: boolean): string {
  return isShort ? 'general' : 'sos';
}
