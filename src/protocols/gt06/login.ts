/**
 * The login: who speaks, and in which time zone. Nothing else in GT06 names the device.
 *
 * Terminal id (8, BCD: the IMEI's 15 digits behind a 0), then from later devices type identity code (2) and time zone
 * and language (2: bits 15..4 hours × 100 + minutes, bit 3 west of Greenwich, bits 1..0 language).
 * Source: Concox, "GPS Tracker Communication Protocol" (JM-VL03 V1.1.2), login packet.
 */
import type { Session } from '../protocol.ts';

export interface Gt06Session extends Session {
  /** How far the device's local time is ahead of UTC; 0 where the login does not say. */
  readonly zoneOffsetMs: number;
}

export const NOT_LOGGED_IN: Gt06Session = { deviceId: null, zoneOffsetMs: 0 };

const TERMINAL_ID_BYTES = 8;
const ZONE_AT = 10;
const WEST_BIT = 0x0008;
const MS_PER_MINUTE = 60_000;
const MINUTES_PER_HOUR = 60;
/** Kiribati is 14 hours ahead; beyond that the field is something else. */
const LARGEST_OFFSET_MINUTES = 14 * MINUTES_PER_HOUR;

/** The session that a login's information content opens, or null where the terminal id is not one. */
export function readLogin(content: Buffer): Gt06Session | null {
  const digits = content.toString('hex', 0, TERMINAL_ID_BYTES);
  if (!/^\d{16}$/.test(digits) || /^0+$/.test(digits)) return null;
  const zone = content.length >= ZONE_AT + 2 ? content.readUInt16BE(ZONE_AT) : 0;
  return { deviceId: digits.replace(/^0/, ''), zoneOffsetMs: zoneOffsetMs(zone) };
}

function zoneOffsetMs(zone: number): number {
  const value = zone >>> 4;
  const minutes = value % 100;
  const offset = Math.floor(value / 100) * MINUTES_PER_HOUR + minutes;
  if (minutes >= MINUTES_PER_HOUR || offset > LARGEST_OFFSET_MINUTES) return 0;
  return ((zone & WEST_BIT) === 0 ? offset : -offset) * MS_PER_MINUTE;
}
