/**
 * Packets of base stations and access points, from devices without a fix.
 *
 * Sources: Concox, "GPS Tracker Communication Protocol" (JM-VL03), packets 28 and A1; AM01, packet 2C; GK310, A2; Jimi
 * IoT (4G), A9 and B2; WanWay S20, packet 24; SL48, packets 33 and 34; ZhongXun Topin, packets 17 and 69.
 */
import type { ByteReader } from '../../shared/byte-reader.ts';
import { readFix, readBcdTime, readTime } from './fix.ts';
import { readNetworkAlarm } from './alarm-messages.ts';
import {
  CELL_2G, CELL_4G, CELL_WIDE, CELL_WIDE_MNC2, readAccessPoints, readCell, readOperator, readStations,
} from './network.ts';
import type { CellWidths } from './network.ts';
import type { Decode, RecordDraft } from './record.ts';
import { readAlarmAndLanguage, readVolts, setLanguage } from './status.ts';

const LANGUAGE_BYTES = 2;
const TIMING_ADVANCE_BYTES = 1;
/** The serving station and six neighbours. */
const STATIONS = 7;

/**
 * 18, 28, 2E, A1. Date and time (6), MCC (2), MNC (1 or 2), 7 × (LAC, cell id, RSSI (1)), timing advance (1), language
 * (2). 2C, 33 and A2 have access points before the language.
 */
function stations(widths: CellWidths, count: number, hasAccessPoints: boolean): Decode {
  return (content, record) => {
    record.ts = readTime(content, record.zoneOffsetMs);
    readStations(content, record, readOperator(content), widths, count, TIMING_ADVANCE_BYTES);
    if (content.remaining > 0) record.set('timingAdvance', content.u8());
    if (hasAccessPoints && content.remaining > 0) readAccessPoints(content, record);
    if (content.remaining === LANGUAGE_BYTES) setLanguage(record, content.u16());
  };
}

export const readStations2g: Decode = stations(CELL_2G, STATIONS, false);
export const readStations4g: Decode = stations(CELL_4G, STATIONS, false);
export const readStationsAndWifi2g: Decode = stations(CELL_2G, STATIONS, true);
export const readStationsAndWifiWide: Decode = stations(CELL_WIDE, STATIONS - 1, true);
const readStationsAndWifiLong = stations(CELL_4G, STATIONS, true);

const NETWORK_ALARM_BYTES = 59;

/** A2. Base stations and access points; of 59 bytes (LW4G) an alarm packet. */
export function readStationsAndWifi4g(content: ByteReader, record: RecordDraft): void {
  if (content.remaining === NETWORK_ALARM_BYTES) readNetworkAlarm(content, record);
  else readStationsAndWifiLong(content, record);
}

const COUNTED_BYTES = 44;
const LOCATED_BYTES = 41;

/** 24. As 28; of 44 bytes (WanWay S20) with a count; of 41 bytes (SR411) a location packet. */
export function readVariedStations(content: ByteReader, record: RecordDraft): void {
  if (content.remaining === COUNTED_BYTES) readCountedStations(content, record);
  else if (content.remaining === LOCATED_BYTES) readLocatedStation(content, record);
  else readStations2g(content, record);
}

/** Date and time (6), timing advance (1), MCC (2), MNC (1), count (1), count × (LAC (2), cell id (3), RSSI (1)). */
function readCountedStations(content: ByteReader, record: RecordDraft): void {
  record.ts = readTime(content, record.zoneOffsetMs);
  record.set('timingAdvance', content.u8());
  const operator = readOperator(content);
  readStations(content, record, operator, CELL_2G, content.u8(), 0);
  // Room for the stations that the count leaves out.
  const rest = content.bytes.subarray(content.offset, content.offset + content.remaining);
  if (rest.every((byte) => byte === 0)) content.skip(rest.length);
}

/** GPS information, base station, ACC (1), external voltage (2), battery voltage (2). */
function readLocatedStation(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  readCell(content, record);
  record.set('ignition', content.u8() > 0);
  record.set('power', readVolts(content));
  record.set('battery', readVolts(content));
}

/** 34 of SL48: date and time (6), timing advance (1), MCC (2), MNC (2), n × (LAC (2), cell id (4), RSSI (1)). */
export function readWideStations(content: ByteReader, record: RecordDraft): void {
  record.ts = readTime(content, record.zoneOffsetMs);
  record.set('timingAdvance', content.u8());
  readStations(content, record, readOperator(content, CELL_WIDE_MNC2.mnc), CELL_WIDE, STATIONS, 0);
}

/**
 * A9. Date and time (6), MCC (2), MNC (1 or 2), 4G (1), count (1), stations, timing advance (1), access points, alert
 * (1), language (1).
 */
export function readWifiAlarm(content: ByteReader, record: RecordDraft): void {
  record.ts = readTime(content, record.zoneOffsetMs);
  const operator = readOperator(content);
  const widths = content.u8() > 0 ? CELL_4G : CELL_2G;
  readStations(content, record, operator, widths, content.u8(), 0);
  record.set('timingAdvance', content.u8());
  readAccessPoints(content, record);
  readAlarmAndLanguage(content, record, 'later', true);
}

/**
 * B2. Date and time (6), RSSI (1, signed), MAC (6), UUID (16), major (2), minor (2), battery (2, 0.01 V), clock (1).
 */
export function readBluetoothClock(content: ByteReader, record: RecordDraft): void {
  record.ts = readTime(content, record.zoneOffsetMs);
  record.set('rssi', content.i8());
  record.set('tagMac', content.hex(6));
  record.set('tagUuid', content.hex(16));
  record.set('tagMajor', content.u16());
  record.set('tagMinor', content.u16());
  record.set('tagBattery', readVolts(content));
  record.set('clock', content.u8() >>> 2 & 0x0f);
}

/** F3. BCD time (6), count (1), count × (reserved (2), MAC (6)). */
export function readWifiList(content: ByteReader, record: RecordDraft): void {
  record.ts = readBcdTime(content);
  const count = content.u8();
  for (let index = 0; index < count; index += 1) {
    content.skip(2);
    record.addAccessPoint(content.take(6), null);
  }
}

/** 17, 69 as Wi-Fi packets; see `frame-layout.ts` for the layout. */
export function readWifiPacket(content: ByteReader, record: RecordDraft, accessPoints: number): void {
  record.ts = readBcdTime(content);
  for (let index = 0; index < accessPoints; index += 1) record.addAccessPoint(content.take(6), content.u8());
  const count = content.u8();
  const operator = { mcc: content.u16(), mnc: content.u8() };
  for (let index = 0; index < count; index += 1) {
    record.addCell({ ...operator, lac: content.u16(), cellId: BigInt(content.u16()), signal: content.u8() });
  }
}
