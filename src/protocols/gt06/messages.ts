/**
 * Every protocol number that is decoded: how it is read, in which time it is written, and how it is answered. A number
 * that is not here is unknown.
 *
 * Clock: the documents mark the packets of the second generation (22 to 2E, 36 and above) as UTC. Those of the first
 * are in the device's local time if its login names a time zone. README.md has the evidence.
 */
import {
  readAlarm, readCameraAlarm, readFenceAlarm, readModuleAlarm, readOriginalAlarm, readSingleFenceAlarm,
  readStationAlarm, readStationAlarm4g,
} from './alarm-messages.ts';
import { readHeartbeat, readVoltageHeartbeat } from './heartbeat.ts';
import { readInformation, readVoltageInformation } from './information.ts';
import {
  readAddressRequest, readAltitudeLocation, readDriverLocation, readGps, readGpsWideCell, readLocation,
  readLocation4g, readModuleLocation, readNeighbourLocation, readOriginalLocation, readRfidLocation,
  readTypedCellLocation,
} from './location.ts';
import {
  readButtonLocation, readCardLocationOrStatus, readLengthAlarm, readLengthLocation, readX1OrStations,
} from './maker-locations.ts';
import { CELL_4G, readCell } from './network.ts';
import type { Decode } from './record.ts';
import {
  readBluetoothClock, readStations2g, readStations4g, readStationsAndWifi2g, readStationsAndWifi4g,
  readStationsAndWifiWide, readVariedStations, readWifiAlarm, readWifiList,
} from './stations.ts';
import { readDeviceStatus, readModular, readPeripheral } from './status-lists.ts';
import { readCommandReply, readCommandReplyText, readSerialData } from './text-messages.ts';
import { readBatteryManagement, readObd } from './vehicle-data.ts';

export type Clock = 'login zone' | 'utc';
/** `standard` and `extended`: the packet's number and serial, behind 7878 or 7979. */
export type Answer = 'standard' | 'extended' | 'time' | 'address' | 'none';

export interface MessageType {
  /** Null: the packet asks and says nothing. */
  readonly decode: Decode | null;
  readonly clock: Clock;
  readonly answer: Answer;
  /** The regular location packet of the devices that send it. */
  readonly isPeriodic: boolean;
}

export const LOGIN = 0x01;

function local(decode: Decode, answer: Answer = 'standard'): MessageType {
  return { decode, clock: 'login zone', answer, isPeriodic: false };
}

function utc(decode: Decode | null, answer: Answer = 'standard'): MessageType {
  return { decode, clock: 'utc', answer, isPeriodic: false };
}

function periodic(clock: Clock, decode: Decode, answer: Answer = 'standard'): MessageType {
  return { decode, clock, answer, isPeriodic: true };
}

/** Packets that begin with 7878, and with 7979 unless that has another meaning below. */
const STANDARD: Readonly<Record<number, MessageType>> = {
  0x10: periodic('login zone', readGps),
  0x11: periodic('login zone', readGpsWideCell),
  0x12: periodic('login zone', readOriginalLocation),
  0x13: local(readHeartbeat),
  0x15: local(readCommandReply),
  0x16: local(readOriginalAlarm),
  0x17: periodic('login zone', readRfidLocation),
  0x18: local(readStations2g),
  0x19: local(readStationAlarm),
  0x1a: local(readAddressRequest),
  0x1e: periodic('login zone', readNeighbourLocation),
  0x21: local(readCommandReplyText, 'none'),
  0x22: periodic('utc', readLocation),
  0x23: utc(readVoltageHeartbeat),
  0x24: utc(readVariedStations),
  0x25: periodic('utc', readDriverLocation),
  0x26: utc(readAlarm),
  0x27: utc(readFenceAlarm),
  0x28: utc(readStations2g),
  0x2a: utc(readAddressRequest, 'address'),
  0x2c: utc(readStationsAndWifi2g),
  0x2d: periodic('utc', readLocation),
  0x2e: utc(readStations2g),
  0x31: periodic('login zone', readAltitudeLocation),
  0x32: local(readOriginalAlarm),
  0x33: local(readStationsAndWifiWide),
  0x34: periodic('login zone', readX1OrStations),
  0x36: periodic('utc', readCardLocationOrStatus),
  0x37: periodic('utc', readModuleLocation),
  0x38: periodic('utc', readTypedCellLocation, 'none'),
  0x39: utc(readModuleAlarm),
  0x40: utc(readBatteryManagement),
  0x61: periodic('login zone', readButtonLocation),
  0x70: periodic('utc', readModular),
  0x80: local(readCommandReply, 'none'),
  0x81: local(readCommandReply, 'none'),
  0x82: local(readCommandReply, 'none'),
  0x8a: utc(null, 'time'),
  0x8c: local(readObd, 'none'),
  0x94: utc(readVoltageInformation, 'none'),
  0x95: utc(readCameraAlarm),
  0x9b: utc(readSerialData, 'none'),
  0xa0: periodic('utc', readLocation4g),
  0xa1: utc(readStations4g),
  0xa2: utc(readStationsAndWifi4g),
  0xa3: utc(readSingleFenceAlarm),
  0xa4: utc(readFenceAlarm),
  0xa5: utc(readStationAlarm4g),
  0xa7: utc((content, record) => readCell(content, record, CELL_4G)),
  0xa9: utc(readWifiAlarm),
  0xb2: utc(readBluetoothClock),
  0xf1: utc(readDeviceStatus),
  0xf2: utc(readPeripheral),
  0xf3: utc(readWifiList),
};

/** Packets that mean something else behind 7979; null: nothing that is known (36 is a piece of a picture). */
const EXTENDED: Readonly<Record<number, MessageType | null>> = {
  0x32: periodic('login zone', readLengthLocation, 'extended'),
  0x33: local(readLengthAlarm, 'extended'),
  0x36: null,
  0x94: utc(readInformation, 'none'),
};

/** Undefined where the number is unknown. */
export function messageType(type: number, isExtended: boolean): MessageType | undefined {
  const extended = isExtended ? EXTENDED[type] : undefined;
  if (extended === null) return undefined;
  return extended ?? STANDARD[type];
}
