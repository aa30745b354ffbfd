/**
 * Modules: numbered values with a length, by which later devices extend location, status and alarm packets. A table;
 * a module that is not in it, or whose length is not the table's, is kept as `io<number>` with its raw value.
 *
 * Source: Jimi IoT, "GPS Tracker Communication Protocol" (AT4 and 4G devices), packets 36, 37, 38, 39 and 70.
 */
import { ByteReader } from '../../shared/byte-reader.ts';
import { freeName } from '../free-name.ts';
import { addModuleEvent } from './module-events.ts';
import { readPlace } from './fix.ts';
import { readCell } from './network.ts';
import type { CellWidths } from './network.ts';
import type { RecordDraft } from './record.ts';

interface Module {
  /** The shortest form; more may follow in later versions. */
  readonly bytes: number;
  readonly read: (value: ByteReader, record: RecordDraft) => void;
}

/** Unsigned number of 1, 2 or 4 bytes, divided by `divisor`. */
function scalar(name: string, bytes: 1 | 2 | 4, divisor = 1): Module {
  return { bytes, read: (value, record) => record.set(name, readUnsigned(value, bytes) / divisor) };
}

const MS_PER_SECOND = 1000;
const MODULE_CELL: CellWidths = { mnc: 2, lac: 2, cellId: 3 };

const MODULES: Readonly<Record<number, Module>> = {
  0x0002: { bytes: 8, read: (value, record) => record.set('imsi', value.hex(8)) },
  0x0003: { bytes: 10, read: (value, record) => record.set('iccid', value.hex(10).replace(/f+$/, '')) },
  0x0009: { bytes: 1, read: (value, record) => { record.satellites = value.u8(); } },
  0x000a: scalar('satVisible', 1),
  // MCC (2), MNC (2), LAC (2), cell id (3), RSSI (1).
  0x0011: {
    bytes: 10,
    read: (value, record) => {
      readCell(value, record, MODULE_CELL);
      record.set('rssi', value.u8());
    },
  },
  0x0018: scalar('battery', 2, 100),
  0x0027: scalar('power', 2, 100),
  0x0028: { bytes: 1, read: (value, record) => { record.hdop = value.u8() / 10; } },
  0x0029: scalar('index', 4),
  // Bits 3..0 door, 7..4 tamper.
  0x002a: {
    bytes: 1,
    read: (value, record) => {
      const inputs = value.u8();
      record.set('door', (inputs & 0x0f) > 0);
      record.set('tamper', inputs >>> 4 > 0);
    },
  },
  0x002b: scalar('bootReason', 1),
  0x002e: scalar('odometer', 4),
  0x0032: scalar('startupStatus', 1),
  // Unix time (4), satellites (1), altitude (2), latitude (4), longitude (4), speed (1), course and status (2).
  0x0033: {
    bytes: 18,
    read: (value, record) => {
      record.ts = value.u32() * MS_PER_SECOND;
      record.satellites = value.u8();
      record.altitude = value.i16();
      readPlace(value, record, { hasSatellites: false, speedBytes: 1, isStatusFirst: false });
    },
  },
  // Event (1), unix time (4), length (1), content.
  0x0034: {
    bytes: 6,
    read: (value, record) => {
      addModuleEvent(record, value.u8());
      record.set('eventTime', value.u32() * MS_PER_SECOND);
      const content = value.take(value.u8());
      if (content.length > 0) record.set('eventData', Buffer.from(content));
    },
  },
  0x003b: scalar('accuracy', 2, 100),
  0x006a: scalar('batteryLevel', 1),
  // MAC (6), battery (2, mV), battery (1, %), temperature (2, 0.1 °C), humidity (2), state (1).
  0x007f: {
    bytes: 14,
    read: (value, record) => {
      const number = record.nextTag();
      record.set(`tag${number}Id`, value.hex(6));
      record.set(`tag${number}Battery`, value.u16() / 1000);
      record.set(`tag${number}BatteryLevel`, value.u8());
      record.set(`tag${number}Temp`, value.i16() / 10);
      record.set(`tag${number}Humidity`, value.i16());
      record.set(`tag${number}Status`, value.u8());
    },
  },
};

/** To the end of the content: number (2), length (1 or 2), value. */
export function readModules(content: ByteReader, record: RecordDraft, lengthBytes: 1 | 2): void {
  while (content.remaining >= 2 + lengthBytes) {
    const id = content.u16();
    const value = content.take(lengthBytes === 1 ? content.u8() : content.u16());
    const known = MODULES[id];
    if (known === undefined || value.length < known.bytes) setRawValue(record, id, value);
    else known.read(new ByteReader(value), record);
  }
}

/** A value without a name: up to six bytes as an unsigned number, more as they are; `io5_2` is a second 5. */
export function setRawValue(record: RecordDraft, id: number, value: Buffer): void {
  const isNumber = value.length > 0 && value.length <= 6;
  record.set(freeName(record.attributes, `io${id}`), isNumber ? value.readUIntBE(0, value.length) : Buffer.from(value));
}

function readUnsigned(value: ByteReader, bytes: 1 | 2 | 4): number {
  if (bytes === 1) return value.u8();
  return bytes === 2 ? value.u16() : value.u32();
}

const GENERATION_4G = 3;

/**
 * Generation (1: 3 and above is 4G), MCC (2), MNC (1 or 2), LAC (2; 4G: 4), cell id (3; 4G: 8), RSSI (1; 4G: 2).
 */
export function readTypedCell(content: ByteReader, record: RecordDraft): void {
  const is4g = content.u8() >= GENERATION_4G;
  readCell(content, record, is4g ? { mnc: 1, lac: 4, cellId: 8 } : { mnc: 1, lac: 2, cellId: 3 });
  record.set('rssi', is4g ? content.u16() : content.u8());
}
