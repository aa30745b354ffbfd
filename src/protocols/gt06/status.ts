/**
 * The terminal's own state, as heartbeats and alarm packets carry it.
 *
 * Source: Concox, "GPS Tracker Communication Protocol" (GT06N, JM-VL03), heartbeat packet and alarm packet.
 */
import type { ByteReader } from '../../shared/byte-reader.ts';
import { addTerminalAlarm, setAlarmCode } from './alarms.ts';
import type { AlarmFamily } from './alarms.ts';
import type { RecordDraft } from './record.ts';

/** Voltage level 6 is 'full'. */
const HIGHEST_VOLTAGE_LEVEL = 6;
/** Bits 11..8 of an alarm code stand in the high half of the language byte. */
const CODE_EXTENSION_SHIFT = 4;

/**
 * Terminal information: bit 7 fuel and power cut, 6 positioned, 5..3 alarm, 2 charging, 1 ACC, 0 armed. The byte
 * itself is kept as `status`.
 */
export function readTerminalInformation(content: ByteReader, record: RecordDraft): void {
  const information = content.u8();
  record.set('status', information);
  record.set('ignition', (information & 0x02) !== 0);
  record.set('charge', (information & 0x04) !== 0);
  record.set('blocked', (information & 0x80) !== 0);
  record.set('armed', (information & 0x01) !== 0);
  addTerminalAlarm(record, information);
}

/** Voltage level 0 (none) to 6 (full); some devices send percent instead. Anything else is kept as it is. */
export function setBatteryLevel(record: RecordDraft, level: number): void {
  if (level <= HIGHEST_VOLTAGE_LEVEL) record.set('batteryLevel', Math.floor((level * 100) / HIGHEST_VOLTAGE_LEVEL));
  else if (level <= 100) record.set('batteryLevel', level);
  else record.set('voltageLevel', level);
}

/** Terminal information (1), voltage level (1), GSM signal strength (1): 0 none to 4 strong, or a higher scale. */
export function readTerminalState(content: ByteReader, record: RecordDraft): void {
  readTerminalInformation(content, record);
  setBatteryLevel(record, content.u8());
  record.set('rssi', content.u8());
}

/** Alert (1) and language (1): 1 Chinese, 2 English, 0 no answer wanted. */
export function readAlarmAndLanguage(
  content: ByteReader, record: RecordDraft, family: AlarmFamily, hasLongCode = false,
): void {
  const code = content.u8();
  const language = content.u8();
  const extension = hasLongCode ? language >>> CODE_EXTENSION_SHIFT : 0;
  setAlarmCode(record, extension * 0x100 + code, family);
  setLanguage(record, language);
}

/** The language that a device wants to be answered in; 0 says nothing. */
export function setLanguage(record: RecordDraft, language: number): void {
  if (language !== 0) record.set('language', language);
}

/** Hundredths of a volt (2). */
export function readVolts(content: ByteReader): number {
  return content.u16() / 100;
}
