/**
 * Builds what a GT06 device sends: login, location, heartbeat, alarm, answer to a command, time request. Every function
 * returns the exact bytes of one frame; a value that its field cannot carry is a RangeError, since it is a mistake of
 * the caller.
 *
 * Source: Concox, "GPS Tracker Communication Protocol" (JM-VL03 V1.1.2).
 */
import { dateTimeBytes } from './answers.ts';
import { UNITS_PER_DEGREE } from './fix.ts';
import { buildFrame } from './frame.ts';

export interface Gt06Login {
  /** 15 digits, or 16 without the leading 0 that the field otherwise has. */
  readonly imei: string;
  /** Type identity code, with which the time zone is sent. */
  readonly modelCode?: number;
  /** Minutes ahead of UTC; sent only with a type identity code. */
  readonly zoneMinutes?: number;
}

export interface Gt06Fix {
  /** Epoch milliseconds; sent in whole seconds. */
  readonly ts: number;
  readonly latitude: number;
  readonly longitude: number;
  /** km/h, 0 to 255. */
  readonly speed: number;
  /** Degrees clockwise from north, 0 to 359. */
  readonly course: number;
  /** 0 to 15. */
  readonly satellites: number;
  readonly valid: boolean;
}

export interface Gt06Cell {
  readonly mcc: number;
  readonly mnc: number;
  readonly lac: number;
  readonly cellId: number;
}

export interface Gt06TerminalState {
  readonly ignition: boolean;
  readonly charge: boolean;
  readonly armed: boolean;
  readonly blocked: boolean;
  /** 0 none to 6 full. */
  readonly voltageLevel: number;
  /** 0 none to 4 strong. */
  readonly signal: number;
}

export interface Gt06Upload {
  readonly ignition: boolean;
  /** 0 interval, 1 distance, 2 corner, 3 ACC change … */
  readonly mode: number;
  /** Stored while there was no connection. */
  readonly archive: boolean;
  /** Metres. */
  readonly odometer: number;
}

const NO_CELL: Gt06Cell = { mcc: 0, mnc: 0, lac: 0, cellId: 0 };
const ENGLISH = 2;
const IMEI_DIGITS = 16;

/** 01: terminal id, and with a type identity code also time zone and language. */
export function encodeLogin(login: Gt06Login, serial: number): Buffer {
  if (!/^\d{15,16}$/.test(login.imei)) throw new RangeError(`${login.imei} is not an IMEI`);
  const terminalId = Buffer.from(login.imei.padStart(IMEI_DIGITS, '0'), 'hex');
  const model = login.modelCode === undefined ? [] : [u16(login.modelCode), u16(zoneWord(login.zoneMinutes ?? 0))];
  return buildFrame(0x01, Buffer.concat([terminalId, ...model]), serial);
}

/** 22: location in UTC with base station, upload state and mileage. */
export function encodeLocation(fix: Gt06Fix, upload: Gt06Upload, serial: number, cell: Gt06Cell = NO_CELL): Buffer {
  const state = Buffer.from([upload.ignition ? 1 : 0, upload.mode, upload.archive ? 1 : 0]);
  return buildFrame(0x22, Buffer.concat([gpsInformation(fix), station(cell), state, u32(upload.odometer)]), serial);
}

/** 12: location of the first generation, in the device's local time, with base station. */
export function encodeOriginalLocation(
  fix: Gt06Fix, zoneMinutes: number, serial: number, cell: Gt06Cell = NO_CELL,
): Buffer {
  const local = { ...fix, ts: fix.ts + zoneMinutes * 60_000 };
  return buildFrame(0x12, Buffer.concat([gpsInformation(local), station(cell)]), serial);
}

/** 13: heartbeat. */
export function encodeHeartbeat(state: Gt06TerminalState, serial: number): Buffer {
  return buildFrame(0x13, Buffer.concat([terminalState(state), Buffer.from([0, ENGLISH])]), serial);
}

/** 26: alarm in UTC. `code` as in the document's table, e.g. 1 for SOS. */
export function encodeAlarm(
  fix: Gt06Fix, state: Gt06TerminalState, code: number, serial: number, cell: Gt06Cell = NO_CELL,
): Buffer {
  const lbs = station(cell);
  const sizedLbs = Buffer.concat([Buffer.from([lbs.length + 1]), lbs]);
  const alert = Buffer.from([code, ENGLISH]);
  return buildFrame(0x26, Buffer.concat([gpsInformation(fix), sizedLbs, terminalState(state), alert]), serial);
}

/** 7979 21: the answer to a command, in ASCII. `serverFlag` as the command had it. */
export function encodeCommandReply(text: string, serverFlag: number, serial: number): Buffer {
  return buildFrame(0x21, Buffer.concat([u32(serverFlag), Buffer.from([1]), Buffer.from(text, 'latin1')]), serial, true);
}

/** 8A: asks for the time. */
export function encodeTimeRequest(serial: number): Buffer {
  return buildFrame(0x8a, Buffer.alloc(0), serial);
}

function gpsInformation(fix: Gt06Fix): Buffer {
  const hemispheres = (fix.longitude < 0 ? 0x0800 : 0) | (fix.latitude < 0 ? 0 : 0x0400);
  const status = (fix.valid ? 0x1000 : 0) | hemispheres | fix.course;
  return Buffer.concat([
    dateTimeBytes(fix.ts),
    Buffer.from([0xc0 | fix.satellites]),
    u32(Math.round(Math.abs(fix.latitude) * UNITS_PER_DEGREE)),
    u32(Math.round(Math.abs(fix.longitude) * UNITS_PER_DEGREE)),
    Buffer.from([fix.speed]),
    u16(status),
  ]);
}

function station(cell: Gt06Cell): Buffer {
  const cellId = Buffer.alloc(3);
  cellId.writeUIntBE(cell.cellId, 0, 3);
  return Buffer.concat([u16(cell.mcc), Buffer.from([cell.mnc]), u16(cell.lac), cellId]);
}

function terminalState(state: Gt06TerminalState): Buffer {
  const information = (state.blocked ? 0x80 : 0) | 0x40 | (state.charge ? 0x04 : 0) | (state.ignition ? 0x02 : 0)
    | (state.armed ? 0x01 : 0);
  return Buffer.from([information, state.voltageLevel, state.signal]);
}

/** Bits 15..4 hours × 100 + minutes, bit 3 west, bits 1..0 language. */
function zoneWord(minutes: number): number {
  const size = Math.abs(minutes);
  return (Math.floor(size / 60) * 100 + size % 60) << 4 | (minutes < 0 ? 0x08 : 0) | ENGLISH;
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
