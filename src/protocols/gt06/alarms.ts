/**
 * Alarm codes and their names. A code without a name is kept as the attribute `event` like every other.
 *
 * Sources: Concox, "GPS Tracker Communication Protocol" (GT06N, JM-VL03 V1.1.2), alert and language; names are
 * Traccar's. The packets of the first generation and the later ones mean different things by 09.
 */
import type { RecordDraft } from './record.ts';

export type AlarmFamily = 'first' | 'later';

const COMMON: Readonly<Record<number, string>> = {
  0x01: 'sos',
  0x02: 'powerCut',
  0x03: 'vibration',
  0x04: 'geofenceEnter',
  0x05: 'geofenceExit',
  0x06: 'overspeed',
  0x0c: 'tampering', // JM-VL03: powered on
  0x0e: 'lowBattery', // external supply low
  0x0f: 'lowBattery', // external supply protection
  0x11: 'powerOff',
  0x13: 'tampering',
  0x14: 'door',
  0x15: 'powerOff', // for lack of battery
  0x18: 'removing', // cover removed
  0x19: 'lowBattery', // internal
  0x1a: 'hardBraking',
  0x1b: 'hardCornering',
  0x23: 'fallDown',
  0x25: 'tampering',
  0x26: 'hardAcceleration',
  0x27: 'hardBraking',
  0x28: 'hardBraking',
  0x29: 'hardAcceleration',
  0x2a: 'hardCornering', // left
  0x2b: 'hardCornering', // right
  0x2c: 'accident',
  0x2e: 'hardCornering',
  0x30: 'hardBraking',
  0x32: 'tampering', // unplugged
  0x33: 'lock',
  0x34: 'unlock',
  0x53: 'fuelLeak',
  0x5b: 'temperature',
  0x5c: 'temperature',
  0xc9: 'idle',
  0xf0: 'hardAcceleration',
  0xf1: 'hardBraking',
  0xf2: 'accident',
  0x107: 'jamming',
  0x10b: 'jamming',
};

const BY_FAMILY: Readonly<Record<AlarmFamily, Readonly<Record<number, string>>>> = {
  first: { 0x09: 'vibration' },
  later: { 0x09: 'tow' },
};

/** Bits 5..3 of the terminal information. */
const TERMINAL_ALARMS: Readonly<Record<number, string>> = {
  1: 'vibration',
  2: 'powerCut',
  3: 'lowBattery',
  4: 'sos',
  6: 'geofence',
  7: 'removing',
};

/** The alarm code of an alarm packet; 0 is 'normal'. */
export function setAlarmCode(record: RecordDraft, code: number, family: AlarmFamily): void {
  if (code === 0) return;
  record.eventCode = code;
  record.set('event', code);
  record.addAlarm(BY_FAMILY[family][code] ?? COMMON[code]);
}

/** The alarm that bits 5..3 of the terminal information tell. */
export function addTerminalAlarm(record: RecordDraft, terminalInformation: number): void {
  record.addAlarm(TERMINAL_ALARMS[terminalInformation >>> 3 & 0x07]);
}
