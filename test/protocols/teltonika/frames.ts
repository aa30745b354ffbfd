/** Frames for the tests of Teltonika, and the short ways to hand them to the protocol. */
import { expect } from 'vitest';
import type { TelemetryRecord } from '../../../src/shared/model.ts';
import type { Accepted, FramerEvent, Handled, Refused, Session } from '../../../src/protocols/protocol.ts';
import { crc16Ibm } from '../../../src/protocols/teltonika/crc16.ts';
import type { AvlIoElement, AvlRecord } from '../../../src/protocols/teltonika/encode.ts';
import { teltonika } from '../../../src/protocols/teltonika/index.ts';

export const IMEI = '356307042441013';
export const LOGGED_IN: Session = { deviceId: IMEI };
export const RECEIVED_AT = 1_700_000_000_000;

/** Codec 8 over TCP, example 1 of the vendor's documentation. */
export const DOCUMENTED_FRAME = Buffer.from(
  '000000000000003608010000016b40d8ea3001000000000000000000000000000000010502'
  + '1503010101425e0f01f10000601a014e0000000000000000010000c7cf', 'hex',
);

/** A TCP frame around `data` (codec ID … number of data 2) with the right length and CRC. */
export function frameOf(data: Buffer): Buffer {
  const frame = Buffer.alloc(data.length + 12);
  frame.writeUInt32BE(data.length, 4);
  data.copy(frame, 8);
  frame.writeUInt32BE(crc16Ibm(data), data.length + 8);
  return frame;
}

export function frameOfHex(hex: string): Buffer {
  return frameOf(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
}

export function dataOf(frame: Buffer): Buffer {
  return frame.subarray(8, -4);
}

/** An ordinary record in Vilnius with a fix; `io` and the rest as the test wants them. */
export function avlRecord(io: readonly AvlIoElement[] = [], changes: Partial<AvlRecord> = {}): AvlRecord {
  return {
    ts: 1_690_000_000_000, priority: 0, longitude: 25.2797, latitude: 54.6872, altitude: 112, angle: 214,
    satellites: 12, speed: 48, eventId: 0, io, ...changes,
  };
}

export function handle(frame: Buffer, session: Session = LOGGED_IN): Handled {
  return teltonika.handle(session, frame, RECEIVED_AT);
}

export function accepted(handled: Handled): Accepted {
  if (handled.kind !== 'accepted') expect.fail(`refused: ${handled.code} ${handled.message}`);
  return handled;
}

export function refused(handled: Handled): Refused {
  if (handled.kind !== 'refused') expect.fail('accepted');
  return handled;
}

/** The one record of an accepted frame. */
export function onlyRecord(frame: Buffer): TelemetryRecord {
  const { records, rejected } = accepted(handle(frame));
  expect(rejected).toEqual([]);
  expect(records).toHaveLength(1);
  return records[0]!;
}

export function push(chunks: readonly Buffer[], maxFrameBytes?: number): FramerEvent[] {
  const framer = teltonika.createFramer(maxFrameBytes);
  return chunks.flatMap((chunk) => [...framer.push(chunk)]);
}

/** Events as text, to compare them whatever buffers they are views of. */
export function summary(events: readonly FramerEvent[]): string[] {
  return events.map((event) => {
    const hex = event.bytes.toString('hex');
    return event.kind === 'frame' ? hex : `${event.kind} ${event.code} ${hex}`;
  });
}
