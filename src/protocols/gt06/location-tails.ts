/**
 * What stands behind GPS information and base station in location packets, where makers differ. A tail of a size that
 * no document names is left unread, and `decode.ts` keeps it as `data`.
 *
 * Sources: Concox, "GPS Tracker Communication Protocol" (JM-VL03), packet 22; "GT06E with magnetic card reader",
 * packet 12; the tails of VXT01, Benway, S5 and WeTrust as Traccar knows them.
 */
import { textOrBytes } from '../../shared/text.ts';
import type { ByteReader } from '../../shared/byte-reader.ts';
import { setAlarmCode } from './alarms.ts';
import type { RecordDraft } from './record.ts';
import { readTerminalInformation, readVolts } from './status.ts';

/** `eventCode` of upload modes: beyond the alarm codes, which share the key. */
const UPLOAD_MODE_EVENT = 0x1000;

const UPLOAD_STATE_BYTES = 3;
const MILEAGE_BYTES = 4;

/**
 * ACC (1), upload mode (1: 0 interval, 1 distance, 2 corner, 3 ACC change, 4 stopped, …), re-upload (1). The mode is
 * the reason of the record: a record made by a corner is another one than the periodic record of that second.
 */
export function readUploadState(content: ByteReader, record: RecordDraft): void {
  record.set('ignition', content.u8() > 0);
  const mode = content.u8();
  record.set('event', mode);
  if (mode !== 0) record.eventCode = UPLOAD_MODE_EVENT + mode;
  record.set('archive', content.u8() > 0);
}

/** Nothing; mileage (4, m); upload state (3); or upload state and mileage (7). */
export function readMileageTail(content: ByteReader, record: RecordDraft): void {
  const hasMileage = content.remaining === MILEAGE_BYTES || content.remaining >= UPLOAD_STATE_BYTES + MILEAGE_BYTES;
  if (content.remaining >= UPLOAD_STATE_BYTES && content.remaining !== MILEAGE_BYTES) readUploadState(content, record);
  if (hasMileage) record.set('odometer', content.u32());
}

const INPUTS_TAIL_BYTES = 2;
const VOLTAGE_TAIL_BYTES = 5;
const FUEL_TAIL_BYTES = 12;
const SHORT_CARD_TAIL_BYTES = 10;
const CARD_TAIL_BYTES = 82;

/** The tail of packet 12, by its size. */
export function readOriginalTail(content: ByteReader, record: RecordDraft): void {
  const bytes = content.remaining;
  if (bytes === INPUTS_TAIL_BYTES) readInputs(content.u16(), record);
  else if (bytes === UPLOAD_STATE_BYTES || bytes === MILEAGE_BYTES || bytes === UPLOAD_STATE_BYTES + MILEAGE_BYTES) {
    readMileageTail(content, record);
  } else if (bytes === VOLTAGE_TAIL_BYTES) readVoltageTail(content, record);
  else if (bytes === FUEL_TAIL_BYTES) readFuelTail(content, record);
  else if (bytes === SHORT_CARD_TAIL_BYTES || bytes >= CARD_TAIL_BYTES) readCardTail(content, record);
}

/**
 * Benway: bit 15 ignition, 14 input 2, 12 the value is a temperature (bit 9 its sign, 8..0 °C); otherwise bits 9..0
 * are an analogue input, in volts with bit 13 and tenths of a volt without.
 */
function readInputs(word: number, record: RecordDraft): void {
  record.set('ignition', (word & 0x8000) !== 0);
  record.set('in2', (word & 0x4000) !== 0);
  if ((word & 0x1000) !== 0) record.set('temp1', (word & 0x01ff) * ((word & 0x0200) === 0 ? 1 : -1));
  else record.set('adc1', (word & 0x03ff) / ((word & 0x2000) === 0 ? 10 : 1));
}

/** VXT01: terminal information (1), external voltage (2), GSM signal (1), alarm extension (1). */
export function readVoltageTail(content: ByteReader, record: RecordDraft): void {
  readTerminalInformation(content, record);
  record.set('power', readVolts(content));
  record.set('rssi', content.u8());
  record.set('alarmExtension', content.u8());
}

/** S5: as VXT01 with the alarm code, fuel (2), temperature (1, sign and magnitude), mileage (4, 10 m). */
function readFuelTail(content: ByteReader, record: RecordDraft): void {
  readTerminalInformation(content, record);
  record.set('power', readVolts(content));
  record.set('rssi', content.u8());
  setAlarmCode(record, content.u8(), 'first');
  record.set('oil', content.u16());
  const temperature = content.u8();
  record.set('temp1', (temperature & 0x7f) * (temperature > 0x7f ? -1 : 1));
  record.set('odometer', content.u32() * 10);
}

/** GT06E with card reader, WeTrust: mileage (4), length (1), card, alarm (1), card state (1)[, driving time (2)]. */
function readCardTail(content: ByteReader, record: RecordDraft): void {
  record.set('odometer', content.u32());
  const card = textOrBytes(content.take(content.u8()));
  if (typeof card !== 'string' || card.trim() !== '') record.set('card', typeof card === 'string' ? card.trim() : card);
  const alarm = content.u8();
  const isShort = content.remaining === 3;
  if (isShort && alarm > 0) record.addAlarm('general');
  if (!isShort) record.set('cardAlarm', alarm);
  record.set('cardStatus', content.u8());
  if (isShort) record.set('drivingTime', content.u16());
}

/**
 * TRX16i: upload state (3), mileage (4), external voltage (2), battery voltage (1, 0.1 V), running time (3, minutes),
 * RFID (8).
 */
export function readLocatedCard(content: ByteReader, record: RecordDraft): void {
  readUploadState(content, record);
  record.set('odometer', content.u32());
  record.set('power', readVolts(content));
  record.set('battery', content.u8() / 10);
  record.set('hours', (content.u8() * 0x10000 + content.u16()) * 60_000);
  setCard(record, content.hex(8));
}

/** A card of zeros is none. */
export function setCard(record: RecordDraft, card: string): void {
  if (!/^0+$/.test(card)) record.set('driverUniqueId', card);
}
