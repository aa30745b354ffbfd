/**
 * Packets that are lists of numbered values: the modular packet 70, the device status F1 and the peripheral packet F2.
 *
 * Source: Jimi IoT, "GPS Tracker Communication Protocol" (AT4, VL842).
 */
import { ByteReader } from '../../shared/byte-reader.ts';
import { readModules, setRawValue } from './modules.ts';
import type { Decode, RecordDraft } from './record.ts';

const MS_PER_SECOND = 1000;
/** Movement states 2 and 4 are 'moving'. */
const MOVING_STATES: ReadonlySet<number> = new Set([2, 4]);

interface Status {
  readonly bytes: number;
  readonly read: Decode;
}

/** 70. Modules with a length of two bytes. */
export function readModular(content: ByteReader, record: RecordDraft): void {
  readModules(content, record, 2);
}

const DEVICE_STATUS: Readonly<Record<number, Status>> = {
  0x0001: { bytes: 1, read: (value, record) => record.set('motion', MOVING_STATES.has(value.u8())) },
  0x0002: { bytes: 1, read: (value, record) => record.set('armed', value.u8() > 0) },
  0x0004: { bytes: 1, read: (value, record) => record.set('ignition', value.u8() > 0) },
  0x0005: { bytes: 2, read: (value, record) => record.set('power', value.u16() / 100) },
  0x0007: { bytes: 1, read: (value, record) => record.set('charge', value.u8() > 0) },
  0x000a: { bytes: 2, read: (value, record) => record.set('chargeVoltage', value.u16()) },
  0x000b: { bytes: 2, read: (value, record) => record.set('batteryTemp', value.u16() / 10) },
};

const PERIPHERAL_STATUS: Readonly<Record<number, Status>> = {
  // Address kind (1), MAC (6), event (1), event data (1), kind of data (1), data.
  0x000a: {
    bytes: 10,
    read: (value, record) => {
      record.set('macType', value.u8());
      record.set('mac', value.hex(6));
      record.set('event', value.u8());
      record.set('eventData', value.u8());
      record.set('dataType', value.u8());
      record.set('dataDetails', value.hex(value.remaining));
    },
  },
  // Level (1, %), charging (1), cycles (2), reserved.
  0x000c: {
    bytes: 4,
    read: (value, record) => {
      record.set('externalBatteryLevel', value.u8());
      record.set('externalBatteryCharge', value.u8() > 0);
      record.set('externalBatteryCycles', value.u16());
    },
  },
};

/** F1. Unix time (4), statuses. */
export function readDeviceStatus(content: ByteReader, record: RecordDraft): void {
  readStatuses(content, record, DEVICE_STATUS);
}

/** F2. Unix time (4), statuses. */
export function readPeripheral(content: ByteReader, record: RecordDraft): void {
  readStatuses(content, record, PERIPHERAL_STATUS);
}

/** Number (2), length (1, or 00 and then 1), value. */
function readStatuses(content: ByteReader, record: RecordDraft, known: Readonly<Record<number, Status>>): void {
  record.ts = content.u32() * MS_PER_SECOND;
  while (content.remaining >= 3) {
    const id = content.u16();
    const shortLength = content.u8();
    const value = content.take(shortLength === 0 && content.remaining > 0 ? content.u8() : shortLength);
    const status = known[id];
    if (status === undefined || value.length < status.bytes) setRawValue(record, id, value);
    else status.read(new ByteReader(value), record);
  }
}
