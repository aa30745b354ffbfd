/**
 * Events of module 34, which are numbered differently from the alarm codes of alarm packets.
 *
 * Source: Jimi IoT, "GPS Tracker Communication Protocol" (AT4), packet 70; names are Traccar's.
 */
import type { RecordDraft } from './record.ts';

const EVENT_ALARMS: Readonly<Record<number, string>> = {
  0x10: 'door',
  0x12: 'removing',
  0x14: 'geofenceEnter',
  0x15: 'geofenceExit',
  0x16: 'temperature',
  0x1a: 'lowBattery',
  0x1b: 'overspeed',
  0x1c: 'powerOn',
  0x1d: 'powerOff',
  0x20: 'vibration',
  0x21: 'powerCut',
  0x23: 'tampering',
};

/** The event's number, and its alarm where it has one. */
export function addModuleEvent(record: RecordDraft, event: number): void {
  record.set('event', event);
  record.eventCode = event;
  record.addAlarm(EVENT_ALARMS[event]);
}
