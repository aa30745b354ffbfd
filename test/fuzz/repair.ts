/**
 * Puts lengths and checksums right after a mutation: without that nearly every case would end at the first check, and
 * what lies behind it would not be tried. One for each protocol, with a login that is let in; a protocol without is
 * fuzzed as it is, which the share of cases with records will show.
 */
import { crcItu } from '../../src/protocols/gt06/crc-itu.ts';
import { encodeLogin as encodeGt06Login } from '../../src/protocols/gt06/encode.ts';
import { crc16Ibm } from '../../src/protocols/teltonika/crc16.ts';
import { encodeLogin } from '../../src/protocols/teltonika/encode.ts';
import type { Random } from '../../src/simulator/random.ts';

export interface Repair {
  readonly login: Buffer;
  readonly frame: (bytes: Buffer, random: Random) => Buffer;
  readonly datagram?: (bytes: Buffer, random: Random) => Buffer;
}

const IMEI = '356307042441013';

/** Codec ID … number of data 2 between preamble with length and CRC; in most cases both counts are the same. */
function teltonikaFrame(bytes: Buffer, random: Random): Buffer {
  const data = Buffer.from(bytes.subarray(8, Math.max(11, bytes.length - 4)));
  if (data.length < 3) return bytes;
  if (random.next() < 0.8) data[data.length - 1] = data[1]!;
  const frame = Buffer.alloc(data.length + 12);
  frame.writeUInt32BE(data.length, 4);
  data.copy(frame, 8);
  frame.writeUInt32BE(crc16Ibm(data), data.length + 8);
  return frame;
}

const CHANNEL = Buffer.concat([Buffer.from('0000cafe0101', 'hex'), encodeLogin(IMEI)]);

/** A channel header of a known device in the place of the first bytes; no checksum. */
function teltonikaDatagram(bytes: Buffer, random: Random): Buffer {
  const datagram = Buffer.concat([CHANNEL, bytes.subarray(CHANNEL.length)]);
  if (datagram.length < CHANNEL.length + 3) return bytes;
  datagram.writeUInt16BE(Math.min(0xffff, datagram.length - 2));
  if (random.next() < 0.8) datagram[datagram.length - 1] = datagram[CHANNEL.length + 1]!;
  return datagram;
}

/** Start bit and length by the size of what is between them and the CRC. */
function gt06Frame(bytes: Buffer): Buffer {
  const isExtended = bytes[0] === 0x79 || bytes.length > 260;
  const body = bytes.subarray(bytes[0] === 0x79 ? 4 : 3, Math.max(3, bytes.length - 4)).subarray(0, 0xfff0);
  const start = Buffer.alloc(isExtended ? 4 : 3, isExtended ? 0x79 : 0x78);
  start.writeUIntBE(body.length + 2, 2, isExtended ? 2 : 1);
  const frame = Buffer.concat([start, body, Buffer.from([0, 0, 0x0d, 0x0a])]);
  frame.writeUInt16BE(crcItu(frame, 2, frame.length - 4), frame.length - 4);
  return frame;
}

export const REPAIRS: Readonly<Record<string, Repair>> = {
  teltonika: { login: encodeLogin(IMEI), frame: teltonikaFrame, datagram: teltonikaDatagram },
  gt06: { login: encodeGt06Login({ imei: IMEI }, 1), frame: gt06Frame },
};
