/**
 * The location packet that names its source and its IMEI (22 and 25 of NT11, NT20, NT26, NT40, NT46, VL100, XT40). It
 * is recognised by its length and by the IMEI in its place.
 *
 * Layout as Traccar knows it: source of the location (1), IMEI (8, BCD), device time (6), GPS information (18), LBS
 * length (1) and base station, terminal information (1), external voltage (2, 0.01 V), battery voltage (1, 0.1 V), GSM
 * signal (1), alert (1), language (1), mileage (3), running time (3, minutes). 25: then length (1), kind (1), driver.
 */
import type { ByteReader } from '../../shared/byte-reader.ts';
import { readFix, readTime } from './fix.ts';
import { readSizedCell } from './network.ts';
import type { RecordDraft } from './record.ts';
import { readAlarmAndLanguage, readTerminalInformation, readVolts } from './status.ts';

const SHORTEST_BYTES = 55;
const IMEI_AT = 1;
const IMEI_END = 9;
const MS_PER_MINUTE = 60_000;
/** From the terminal information on. */
const TAIL_BYTES = 13;

/** Whether the content, not yet read, is of this layout. */
export function isSourceLocation(content: ByteReader): boolean {
  if (content.remaining < SHORTEST_BYTES) return false;
  const imei = content.bytes.subarray(content.offset + IMEI_AT, content.offset + IMEI_END);
  return /^\d{16}$/.test(imei.toString('hex'));
}

export function readSourceLocation(content: ByteReader, record: RecordDraft, hasDriver: boolean): void {
  record.set('locationSource', content.u8());
  content.skip(IMEI_END - IMEI_AT);
  const deviceTime = readTime(content, record.zoneOffsetMs);
  readFix(content, record);
  if (deviceTime !== null && deviceTime !== record.ts) record.set('deviceTime', deviceTime);
  readSizedCell(content, record, [TAIL_BYTES]);
  readTerminalInformation(content, record);
  record.set('power', readVolts(content));
  record.set('battery', content.u8() / 10);
  record.set('rssi', content.u8());
  readAlarmAndLanguage(content, record, 'later');
  record.set('odometer', readU24(content));
  record.set('hours', readU24(content) * MS_PER_MINUTE);
  if (hasDriver && content.remaining > 0) readDriver(content, record);
}

function readDriver(content: ByteReader, record: RecordDraft): void {
  const length = content.u8();
  if (length === 0) return;
  record.set('driverIdType', content.u8());
  record.set('driverUniqueId', content.hex(length - 1));
}

function readU24(content: ByteReader): number {
  return content.u8() * 0x10000 + content.u16();
}
