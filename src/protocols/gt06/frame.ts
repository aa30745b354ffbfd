/**
 * A frame's parts, taken apart and put together. `parseFrame` trusts nothing: structure and CRC are verified before a
 * field is read, and a frame that fails is a value with the reason.
 *
 * Source: Concox, "GPS Tracker Communication Protocol" (GT06N, JM-VL03), general packet format and CRC-ITU.
 */
import type { ReasonCode } from '../../shared/reasons.ts';
import { crcItu } from './crc-itu.ts';
import { crcHolds, EXTENDED_START, measureFrame, STANDARD_START, TRAILER_BYTES } from './frame-layout.ts';

/** What a packet length of two bytes can name. */
export const MAX_FRAME_BYTES = 4 + 0xffff + 2;

const STOP = [0x0d, 0x0a];

export interface Message {
  readonly kind: 'message';
  /** Protocol number. */
  readonly type: number;
  /** Begins with 7979: packet length of two bytes. */
  readonly isExtended: boolean;
  /** Information content: what stands between protocol number and serial number. A view of the frame. */
  readonly content: Buffer;
  /** Information serial number. */
  readonly serial: number;
}

/** The Wi-Fi packet has no serial number and no CRC; its second byte counts access points. */
export interface WifiMessage {
  readonly kind: 'wifi';
  readonly type: number;
  readonly accessPoints: number;
  /** From the BCD time to the last cell. A view of the frame. */
  readonly content: Buffer;
}

export interface InvalidFrame {
  readonly kind: 'invalid';
  readonly code: ReasonCode;
  readonly field: string;
  readonly message: string;
  /** The bytes are no frame at all, so the stream is out of step. */
  readonly isFatal: boolean;
}

/** The parts of exactly one frame. */
export function parseFrame(frame: Buffer): Message | WifiMessage | InvalidFrame {
  const verdict = measureFrame(frame, MAX_FRAME_BYTES);
  if (verdict.kind !== 'frame' || verdict.bytes !== frame.length) {
    const [code, message] = verdict.kind === 'broken'
      ? [verdict.code, verdict.message]
      : ['missing_delimiter' as const, `${frame.length} bytes are not one frame`];
    return { kind: 'invalid', code, field: 'frame', message, isFatal: true };
  }
  if (verdict.isWifi) {
    const content = frame.subarray(4, frame.length - STOP.length);
    return { kind: 'wifi', type: frame.readUInt8(3), accessPoints: frame.readUInt8(2), content };
  }
  return parseGeneral(frame);
}

function parseGeneral(frame: Buffer): Message | InvalidFrame {
  const isExtended = frame.readUInt8(0) === EXTENDED_START;
  const typeAt = isExtended ? 4 : 3;
  const serialAt = frame.length - STOP.length - TRAILER_BYTES;
  if (serialAt <= typeAt) return badChecksum('the packet is too short to carry a serial number and a CRC');
  if (!crcHolds(frame, frame.length)) return badChecksum('the CRC-ITU over packet length to serial number differs');
  return {
    kind: 'message',
    type: frame.readUInt8(typeAt),
    isExtended,
    content: frame.subarray(typeAt + 1, serialAt),
    serial: frame.readUInt16BE(serialAt),
  };
}

function badChecksum(message: string): InvalidFrame {
  return { kind: 'invalid', code: 'checksum_mismatch', field: 'crc', message, isFatal: false };
}

/** One frame: 7878 with a length of one byte (at most 250 bytes of content), or 7979 with two. */
export function buildFrame(type: number, content: Uint8Array, serial: number, isExtended = false): Buffer {
  const length = 1 + content.length + TRAILER_BYTES;
  const limit = isExtended ? 0xffff : 0xff;
  if (length > limit) throw new RangeError(`${content.length} bytes of content do not fit into a packet of type ${type}`);
  const headerBytes = isExtended ? 4 : 3;
  const frame = Buffer.alloc(headerBytes + length + STOP.length);
  frame.fill(isExtended ? EXTENDED_START : STANDARD_START, 0, 2);
  frame.writeUIntBE(length, 2, headerBytes - 2);
  frame.writeUInt8(type, headerBytes);
  frame.set(content, headerBytes + 1);
  const crcAt = frame.length - STOP.length - 2;
  frame.writeUInt16BE(serial & 0xffff, crcAt - 2);
  frame.writeUInt16BE(crcItu(frame, 2, crcAt), crcAt);
  frame.set(STOP, crcAt + 2);
  return frame;
}

/** The answer to a Wi-Fi packet: 7878, 00, protocol number, the packet's own time, 0D0A. */
export function buildWifiAnswer(message: WifiMessage): Buffer {
  return Buffer.from([STANDARD_START, STANDARD_START, 0, message.type, ...message.content.subarray(0, 6), ...STOP]);
}
