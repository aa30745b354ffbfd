/**
 * How long a frame is, from its first bytes alone: the one place that knows the layouts on the wire. Never throws, and
 * never looks beyond the bytes that a verdict needs, so that a verdict does not depend on how the stream was cut.
 *
 * Source: Concox, "GPS Tracker Communication Protocol" (GT06N, JM-VL03), general packet format; ZhongXun Topin,
 * "Locator Communication Protocol", for the Wi-Fi packets.
 */
import type { ReasonCode } from '../../shared/reasons.ts';
import { crcItu } from './crc-itu.ts';

/** Start bit of a packet whose length field is one byte. */
export const STANDARD_START = 0x78;
/** Start bit of a packet whose length field is two bytes. */
export const EXTENDED_START = 0x79;

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const STOP_BYTES = 2;

/** Serial number and CRC: what follows the information content and is counted by the length field. */
export const TRAILER_BYTES = 4;

/** Packets that may be Wi-Fi packets, whose second byte counts access points and which have neither serial nor CRC. */
const WIFI_TYPES: ReadonlySet<number> = new Set([0x17, 0x69]);
const WIFI_TIME_AT = 4;
const WIFI_TIME_END = 10;
const ACCESS_POINT_BYTES = 7;
const WIFI_CELL_BYTES = 5;
/** Count of cells, MCC and MNC. */
const WIFI_NETWORK_BYTES = 4;

export type Verdict =
  /** Nothing can be said before `bytes` bytes are there. */
  | { readonly kind: 'more'; readonly bytes: number }
  | { readonly kind: 'frame'; readonly bytes: number; readonly isWifi: boolean }
  /** The first `bytes` bytes cannot begin, or be, a frame. */
  | { readonly kind: 'broken'; readonly bytes: number; readonly code: ReasonCode; readonly message: string };

/**
 * Start bit (2, 7878 or 7979), packet length (1 or 2), protocol number (1), information content, information serial
 * number (2), CRC (2), stop bit (2, 0D0A). The length counts from the protocol number to the CRC.
 */
export function measureFrame(bytes: Uint8Array, maxFrameBytes: number): Verdict {
  const [start, second] = bytes;
  if (start === undefined) return more(1);
  if (start !== STANDARD_START && start !== EXTENDED_START) return badPreamble(1);
  if (second === undefined) return more(2);
  if (second !== start) return badPreamble(2);
  const headerBytes = start === STANDARD_START ? 3 : 4;
  if (bytes.length <= headerBytes) return more(headerBytes + 1);
  const length = start === STANDARD_START ? byteAt(bytes, 2) : byteAt(bytes, 2) * 256 + byteAt(bytes, 3);
  if (start === STANDARD_START && WIFI_TYPES.has(byteAt(bytes, 3))) return measureWifi(bytes, maxFrameBytes);
  if (length === 0) return outOfRange(headerBytes + 1, 'the packet length is 0');
  return measureEnd(bytes, headerBytes + length + STOP_BYTES, maxFrameBytes, false);
}

/**
 * Start bit (2), count of access points n (1), protocol number 17 or 69 (1), BCD time (6), n × (MAC (6), signal (1)),
 * count of cells c (1), MCC (2), MNC (1), c × (LAC (2), cell id (2), signal (1)), stop bit (2). The same numbers are
 * also used for packets of the general layout; those end, with a CRC that holds, where their length says.
 */
function measureWifi(bytes: Uint8Array, maxFrameBytes: number): Verdict {
  const count = byteAt(bytes, 2);
  const generalBytes = 3 + count + STOP_BYTES;
  if (count > TRAILER_BYTES) {
    if (bytes.length < generalBytes) return more(generalBytes);
    if (endsWithStop(bytes, generalBytes) && (crcHolds(bytes, generalBytes) || !hasBcdTime(bytes))) {
      return { kind: 'frame', bytes: generalBytes, isWifi: false };
    }
  }
  const cellCountAt = WIFI_TIME_END + count * ACCESS_POINT_BYTES;
  if (cellCountAt >= maxFrameBytes) return tooLong(cellCountAt + 1, maxFrameBytes);
  if (bytes.length <= cellCountAt) return more(cellCountAt + 1);
  const cellBytes = byteAt(bytes, cellCountAt) * WIFI_CELL_BYTES;
  return measureEnd(bytes, cellCountAt + WIFI_NETWORK_BYTES + cellBytes + STOP_BYTES, maxFrameBytes, true);
}

function measureEnd(bytes: Uint8Array, frameBytes: number, maxFrameBytes: number, isWifi: boolean): Verdict {
  if (frameBytes > maxFrameBytes) return tooLong(frameBytes, maxFrameBytes);
  if (bytes.length < frameBytes) return more(frameBytes);
  if (endsWithStop(bytes, frameBytes)) return { kind: 'frame', bytes: frameBytes, isWifi };
  return {
    kind: 'broken', bytes: frameBytes, code: 'missing_delimiter',
    message: `the stop bit 0d0a is not at offset ${frameBytes - STOP_BYTES}, where the packet length leads`,
  };
}

/** Whether the general layout's CRC holds over a frame of `frameBytes` bytes. */
export function crcHolds(bytes: Uint8Array, frameBytes: number): boolean {
  const crcAt = frameBytes - STOP_BYTES - 2;
  return crcItu(bytes, 2, crcAt) === byteAt(bytes, crcAt) * 256 + byteAt(bytes, crcAt + 1);
}

function endsWithStop(bytes: Uint8Array, frameBytes: number): boolean {
  return byteAt(bytes, frameBytes - 2) === CARRIAGE_RETURN && byteAt(bytes, frameBytes - 1) === LINE_FEED;
}

function hasBcdTime(bytes: Uint8Array): boolean {
  for (let at = WIFI_TIME_AT; at < WIFI_TIME_END; at += 1) {
    const byte = byteAt(bytes, at);
    if ((byte & 0x0f) > 9 || byte >>> 4 > 9) return false;
  }
  return true;
}

// Every index was checked against the length by the caller.
function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}

function more(bytes: number): Verdict {
  return { kind: 'more', bytes };
}

function badPreamble(bytes: number): Verdict {
  return { kind: 'broken', bytes, code: 'bad_preamble', message: 'a frame begins with 7878 or 7979' };
}

function tooLong(frameBytes: number, maxFrameBytes: number): Verdict {
  return outOfRange(4, `the frame would be ${frameBytes} bytes or more, ${maxFrameBytes} are allowed`);
}

function outOfRange(bytes: number, message: string): Verdict {
  return { kind: 'broken', bytes, code: 'length_out_of_range', message };
}
