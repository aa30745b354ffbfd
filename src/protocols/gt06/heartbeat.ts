/**
 * Status packets: the terminal's state without a place.
 *
 * Sources: Concox, "GPS Tracker Communication Protocol" (GT06N, JM-VL03), packet 13; GK310, packet 23; Jimi IoT (4G),
 * packet 36.
 */
import type { ByteReader } from '../../shared/byte-reader.ts';
import { setAlarmCode } from './alarms.ts';
import { readModules } from './modules.ts';
import type { RecordDraft } from './record.ts';
import {
  readAlarmAndLanguage, readTerminalInformation, readTerminalState, readVolts, setLanguage,
} from './status.ts';

const SIGNAL_STATUS_BYTES = 14;
const ASSET_STATUS_BYTES = 16;
const LANGUAGE_BYTES = 2;

/** 13. Terminal state, alert or extension (1), language (1). Devices of 14 and 16 bytes have layouts of their own. */
export function readHeartbeat(content: ByteReader, record: RecordDraft): void {
  if (content.remaining === SIGNAL_STATUS_BYTES || content.remaining === ASSET_STATUS_BYTES) {
    readSignalStatus(content, record);
    return;
  }
  readTerminalState(content, record);
  if (content.remaining < LANGUAGE_BYTES) return;
  const extension = content.bytes.readUInt16BE(content.offset);
  if (!isSupplyVoltage(extension)) readAlarmAndLanguage(content, record, 'first');
  else record.set('power', (content.u16() & SUPPLY_VOLTAGE_MASK) / 10);
}

const SUPPLY_VOLTAGE_MASK = 0x0fff;
const LAST_LANGUAGE = 2;

/** LW4G puts F and its supply in 0.1 V where others have alert and language; 83 is no language. */
function isSupplyVoltage(extension: number): boolean {
  return extension > 0xf000 && (extension & 0xff) > LAST_LANGUAGE;
}

const TEMPERATURE_MODE = 4;

/**
 * Terminal information (1), signals (2: GSM 4..0, GPS satellites 9..5, BeiDou satellites 14..10), alert (1), language
 * (1), battery (1, %), working mode (1), voltage (2, 0.01 V), reserved (1), then 14 bytes: working time (2),
 * temperature (2, 0.1 °C, in mode 4); 16 bytes: times worked (2), working time (2), temperature (2, bit 15: above 0).
 */
function readSignalStatus(content: ByteReader, record: RecordDraft): void {
  const isAsset = content.remaining === ASSET_STATUS_BYTES;
  // An asset tracker has no ACC, charger or relay for the bits to be about.
  if (isAsset) record.set('status', content.u8());
  else readTerminalInformation(content, record);
  const signals = content.u16();
  record.satellites = (signals >>> 10 & 0x1f) + (signals >>> 5 & 0x1f);
  record.set('rssi', signals & 0x1f);
  setAlarmCode(record, content.u8(), 'first');
  setLanguage(record, content.u8());
  record.set('batteryLevel', content.u8());
  const mode = content.u8();
  record.set('workingMode', mode);
  record.set(isAsset ? 'battery' : 'power', readVolts(content));
  content.skip(1);
  if (isAsset) record.set('timesWorked', content.u16());
  record.set('workingTime', content.u16());
  const temperature = content.u16();
  if (isAsset) record.set('temp1', ((temperature & 0x7fff) / 10) * (temperature > 0x7fff ? 1 : -1));
  else if (mode === TEMPERATURE_MODE) record.set('temp1', (temperature << 16 >> 16) / 10);
  else record.set('extension', temperature);
}

/** 23. Terminal information (1), battery (2, 0.01 V), GSM signal (1), language (2); the later fields may be absent. */
export function readVoltageHeartbeat(content: ByteReader, record: RecordDraft): void {
  readTerminalInformation(content, record);
  if (content.remaining >= 2) record.set('battery', readVolts(content));
  if (content.remaining >= 1) record.set('rssi', content.u8());
  if (content.remaining === LANGUAGE_BYTES) setLanguage(record, content.u16());
}

/** 36. Terminal state, alert (1), language (1), modules. */
export function readModuleStatus(content: ByteReader, record: RecordDraft): void {
  readTerminalState(content, record);
  readAlarmAndLanguage(content, record, 'later');
  readModules(content, record, 1);
}
