/**
 * Location packets: GPS information, mostly a base station, and what the device knows besides. One function a layout;
 * devices that put more behind it are told apart by the length, see `location-tails.ts`.
 *
 * Source: Concox, "GPS Tracker Communication Protocol" (GT06N, JM-VL03), packets 10, 12, 22, 2A, A0; JI09, packet 1E.
 */
import { textOrBytes } from '../../shared/text.ts';
import type { ByteReader } from '../../shared/byte-reader.ts';
import { readFix } from './fix.ts';
import { readMileageTail, readOriginalTail, readUploadState } from './location-tails.ts';
import { readModules, readTypedCell } from './modules.ts';
import {
  CELL_2G, CELL_4G, CELL_WIDE, CELL_WIDE_MNC2, readCell, readOperator, readStations,
} from './network.ts';
import type { RecordDraft } from './record.ts';
import { isSourceLocation, readSourceLocation } from './source-location.ts';
import { setLanguage } from './status.ts';

/** 18 bytes of GPS information. */
const FIX_BYTES = 18;
const LANGUAGE_BYTES = 2;
const NEIGHBOURS = 7;

/** 10. GPS information alone, or with the language (2). */
export function readGps(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  if (content.remaining === LANGUAGE_BYTES) setLanguage(record, content.u16());
}

/** 11. GPS information, MCC (2), MNC (2), LAC (2), cell id (4). */
export function readGpsWideCell(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  readCell(content, record, CELL_WIDE_MNC2);
}

/** 12. GPS information, base station, and a tail by maker. QH302R puts its IMEI (8, BCD) in front. */
export function readOriginalLocation(content: ByteReader, record: RecordDraft): void {
  if (beginsWithImei(content)) content.skip(IMEI_BYTES);
  readFix(content, record);
  readCell(content, record);
  readOriginalTail(content, record);
}

const IMEI_BYTES = 8;

/** GPS information has its own length, C, in the seventh byte: it never reads as 15 digits behind a 0. */
function beginsWithImei(content: ByteReader): boolean {
  const start = content.bytes.subarray(content.offset, content.offset + IMEI_BYTES);
  return content.remaining >= IMEI_BYTES + FIX_BYTES && /^0\d{15}$/.test(start.toString('hex'));
}

/** 22, 2D. GPS information, base station, upload state, mileage. */
export function readLocation(content: ByteReader, record: RecordDraft): void {
  if (isSourceLocation(content)) readSourceLocation(content, record, false);
  else if (content.remaining === SEEWORLD_BYTES) readClimateLocation(content, record);
  else readGpsCellAndState(content, record);
}

/** 25. As 22 with a cell id of four bytes, or the layout with a source, followed by the driver. */
export function readDriverLocation(content: ByteReader, record: RecordDraft): void {
  if (isSourceLocation(content)) {
    readSourceLocation(content, record, true);
    return;
  }
  readFix(content, record);
  readCell(content, record, CELL_WIDE);
  readMileageTail(content, record);
}

function readGpsCellAndState(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  readCell(content, record, CELL_2G);
  readMileageTail(content, record);
}

const SEEWORLD_BYTES = 42;

/**
 * 22 of 42 bytes (SeeWorld): GPS information, MCC (2), MNC (1), LAC (2), cell id (4), ACC (1), upload mode (1),
 * re-upload (1), mileage (4), travel time (4), temperature (2, sign and magnitude, 0.01 °C), humidity (2, 0.01 %).
 */
function readClimateLocation(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  readCell(content, record, CELL_WIDE);
  readUploadState(content, record);
  record.set('odometer', content.u32());
  record.set('travelTime', content.u32());
  const temperature = content.u16();
  record.set('temp1', ((temperature & 0x7fff) / 100) * (temperature > 0x7fff ? -1 : 1));
  record.set('humidity', content.u16() / 100);
}

const SL4X_BYTES = 37;

/** 31. As 22; 37 bytes (SL42, SL44, SL48) with MNC (2), cell id (4), upload state, mileage (4) and altitude (2). */
export function readAltitudeLocation(content: ByteReader, record: RecordDraft): void {
  if (content.remaining !== SL4X_BYTES) {
    readGpsCellAndState(content, record);
    return;
  }
  readFix(content, record);
  readCell(content, record, CELL_WIDE_MNC2);
  readUploadState(content, record);
  record.set('odometer', content.u32());
  record.altitude = content.i16();
}

/** 37. As 22, then modules with a length of one byte. */
export function readModuleLocation(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  readCell(content, record);
  readUploadState(content, record);
  readModules(content, record, 1);
}

/** 38. GPS information, upload mode (1), re-upload (1), base station with its generation, modules. */
export function readTypedCellLocation(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  const mode = content.u8();
  record.set('event', mode);
  record.set('archive', content.u8() > 0);
  readTypedCell(content, record);
  readModules(content, record, 1);
}

/** A0. As 22 with 4G base station data. */
export function readLocation4g(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  readCell(content, record, CELL_4G);
  readMileageTail(content, record);
}

/** 17 of 35 bytes. GPS information, base station, RFID (8), validity (1). */
export function readRfidLocation(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  readCell(content, record);
  record.set('driverUniqueId', content.hex(8));
  record.set('cardValid', content.u8());
}

/** 1A, 2A: address request. GPS information, phone number (21, ASCII), language (2). */
export function readAddressRequest(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  const phone = textOrBytes(content.take(Math.min(content.remaining, PHONE_BYTES)));
  if (phone.length > 0) record.set('phone', phone);
  if (content.remaining === LANGUAGE_BYTES) setLanguage(record, content.u16());
}

const PHONE_BYTES = 21;

/** The phone number's place in the content of an address request. */
export function phoneOfAddressRequest(content: Buffer): Buffer {
  return content.subarray(FIX_BYTES, FIX_BYTES + PHONE_BYTES);
}

/** 1E. GPS information, MCC (2), MNC (1), 7 × (LAC (2), cell id (3), RSSI (1)), timing advance (1), language (2). */
export function readNeighbourLocation(content: ByteReader, record: RecordDraft): void {
  readFix(content, record);
  if (content.remaining === 0) return;
  readStations(content, record, readOperator(content), CELL_2G, NEIGHBOURS, 0);
  if (content.remaining > LANGUAGE_BYTES) record.set('timingAdvance', content.u8());
  if (content.remaining === LANGUAGE_BYTES) setLanguage(record, content.u16());
}
