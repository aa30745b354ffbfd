/**
 * Location packets that only one maker sends and whose numbers or lengths nobody else uses.
 *
 * Sources: Concox, "X1 GPRS Communication Protocol V1.1", packet 34; AZ735, packets 7979 32 and 33; TRX16i, packet 36
 * of 48 bytes; the iButton packet 61.
 */
import type { ByteReader } from '../../shared/byte-reader.ts';
import { readFix, readPlace, readTime } from './fix.ts';
import { readModuleStatus } from './heartbeat.ts';
import { readLocatedCard } from './location-tails.ts';
import { CELL_WIDE, readCell, readSizedCell } from './network.ts';
import type { RecordDraft } from './record.ts';
import { readWideStations } from './stations.ts';
import { readVolts } from './status.ts';

const WIDE_STATIONS_BYTES = 50;
/** Bits 23..20 of the port information: how many analogue inputs follow. */
const ANALOGUE_SHIFT = 20;

/** 34. Of 50 bytes (SL48) base stations, otherwise the location packet of X1. */
export function readX1OrStations(content: ByteReader, record: RecordDraft): void {
  if (content.remaining === WIDE_STATIONS_BYTES) readWideStations(content, record);
  else readX1Location(content, record);
}

/**
 * Data and alarm (4), GPS information, terminal information (2), mileage (4), base station (cell id 4), driver (4),
 * external voltage (2), battery voltage (2), ports (4), inputs (1), outputs (1), analogue inputs (2 each).
 */
function readX1Location(content: ByteReader, record: RecordDraft): void {
  const alarms = content.u32();
  if (alarms !== 0) record.set('flags', alarms);
  readFix(content, record);
  record.set('status', content.u16());
  record.set('odometer', content.u32());
  readCell(content, record, CELL_WIDE);
  const driver = content.u32();
  if (driver > 0) record.set('driverUniqueId', String(driver));
  record.set('power', readVolts(content));
  record.set('battery', readVolts(content));
  const ports = content.u32();
  record.set('input', content.u8());
  record.set('output', content.u8());
  const inputs = ports >>> ANALOGUE_SHIFT & 0x0f;
  for (let input = 1; input <= inputs; input += 1) record.set(`adc${input}`, readVolts(content));
}

const TRX16I_BYTES = 48;

/** 36. Of 48 bytes (TRX16i) a location packet with a card, otherwise the status packet with modules. */
export function readCardLocationOrStatus(content: ByteReader, record: RecordDraft): void {
  if (content.remaining !== TRX16I_BYTES) {
    readModuleStatus(content, record);
    return;
  }
  readFix(content, record);
  readCell(content, record, CELL_WIDE);
  readLocatedCard(content, record);
}

/** 61. IMEI (8), GPS information, base station (cell id 4), driver (6). */
export function readButtonLocation(content: ByteReader, record: RecordDraft): void {
  content.skip(8);
  readFix(content, record);
  readCell(content, record, CELL_WIDE);
  record.set('driverUniqueId', String(content.u16() * 2 ** 32 + content.u32()));
}

/** 7979 32: see `readLengthLocation`. */
export function readLengthLocation(content: ByteReader, record: RecordDraft): void {
  readLengthFields(content, record);
  record.set('status', content.u8());
  readExtension(content, record);
}

const PEDESTRIAN_ALARMS: Readonly<Record<number, string>> = {
  0xa2: 'lowBattery',
  0xa3: 'lowBattery',
  0xa4: 'general',
  0xa5: 'door',
};
const ARMED = 0xa0;
const DISARMED = 0xa1;

/** 7979 33. The same with an alarm in the place of the status. */
export function readLengthAlarm(content: ByteReader, record: RecordDraft): void {
  readLengthFields(content, record);
  const status = content.u8();
  record.set('status', status);
  record.eventCode = status;
  if (status === ARMED || status === DISARMED) record.set('armed', status === ARMED);
  record.addAlarm(PEDESTRIAN_ALARMS[status]);
  readExtension(content, record);
}

/**
 * Date and time (6), GPS length (1) and GPS information, LBS length (1), base station and its RSSI (1), length (1) and
 * further base stations, length (1) and access points (MAC (6), signal (1)).
 */
function readLengthFields(content: ByteReader, record: RecordDraft): void {
  record.ts = readTime(content, record.zoneOffsetMs);
  if (content.u8() > 0) readPlace(content, record);
  if (readSizedCell(content, record, [])) record.set('rssi', content.u8());
  const neighbours = content.take(content.u8());
  if (neighbours.some((byte) => byte !== 0)) record.set('neighbourCells', Buffer.from(neighbours));
  const accessPoints = content.take(content.u8());
  for (let at = 0; at + 7 <= accessPoints.length; at += 7) {
    record.addAccessPoint(accessPoints.subarray(at, at + 6), accessPoints.readUInt8(at + 6));
  }
}

function readExtension(content: ByteReader, record: RecordDraft): void {
  if (content.remaining === 0) return;
  const extension = content.take(content.u8());
  if (extension.length > 0) record.set('extension', Buffer.from(extension));
}
