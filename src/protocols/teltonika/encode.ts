/**
 * Builds what a tracker sends (login, AVL data, response) and what a server sends to it (command). Every function
 * returns the exact bytes of one frame; a record that its codec cannot carry is a RangeError, since it is a
 * mistake of the caller.
 *
 * Source: Teltonika wiki, "Teltonika Data Sending Protocols".
 */
import { AVL_LAYOUTS } from './avl-layout.ts';
import type { AvlCodec, AvlLayout } from './avl-layout.ts';
import { ByteWriter } from './byte-writer.ts';
import { crc16Ibm } from './crc16.ts';

export type { AvlCodec } from './avl-layout.ts';

/**
 * One I/O element. Widths 1, 2, 4 and 8 go into the groups of that width (a negative value as two's complement); any
 * other width, with a Buffer of that length, into the variable-length group of codec 8 Extended.
 */
export type AvlIoElement = readonly [id: number, widthBytes: number, value: number | bigint | Buffer];

/** One AVL record as a tracker holds it, in the vendor's order. */
export interface AvlRecord {
  /** Epoch milliseconds. */
  readonly ts: number;
  /** 0 low, 1 high, 2 panic. */
  readonly priority: number;
  /** Degrees; sent as 1e-7 degrees. */
  readonly longitude: number;
  readonly latitude: number;
  /** Metres. */
  readonly altitude: number;
  /** Degrees clockwise from north. */
  readonly angle: number;
  readonly satellites: number;
  /** km/h. */
  readonly speed: number;
  /** Id of the I/O element whose change made the record; 0 for a periodic one. */
  readonly eventId: number;
  readonly io: readonly AvlIoElement[];
  /** Codec 16 only: 0 on exit … 7 periodical. */
  readonly generationType?: number;
}

/** The keep-alive byte. */
export const PING: Buffer = Buffer.from([0xff]);

/** The login: length of the IMEI (2 bytes), IMEI in ASCII. */
export function encodeLogin(imei: string): Buffer {
  const frame = Buffer.alloc(2 + Buffer.byteLength(imei, 'latin1'));
  frame.writeUInt16BE(frame.length - 2, 0);
  frame.write(imei, 2, 'latin1');
  return frame;
}

/** A TCP frame of at most 255 AVL records. */
export function encodeAvlFrame(records: readonly AvlRecord[], codec: AvlCodec): Buffer {
  const writer = new ByteWriter();
  writeAvlData(writer, records, AVL_LAYOUTS[codec]);
  return wrap(writer.toBuffer());
}

/**
 * A UDP datagram of AVL records: length (2), packet ID (2), not usable byte 01, AVL packet ID (1), IMEI length (2),
 * IMEI, then codec ID … number of data 2 without a CRC.
 */
export function encodeAvlDatagram(
  imei: string, records: readonly AvlRecord[], codec: AvlCodec, packetId: number, avlPacketId: number,
): Buffer {
  const writer = new ByteWriter();
  writer.integer(0, 2).integer(packetId, 2).integer(1, 1).integer(avlPacketId, 1).raw(encodeLogin(imei));
  writeAvlData(writer, records, AVL_LAYOUTS[codec]);
  const datagram = writer.toBuffer();
  datagram.writeUInt16BE(datagram.length - 2, 0);
  return datagram;
}

/** A codec 12 command (type 05), as a server sends it to a tracker. */
export function encodeCommand(command: string): Buffer {
  return encodeMessage(0x05, Buffer.from(command, 'utf8'));
}

/** A codec 12 response (type 06), as a tracker answers a command. */
export function encodeCommandResponse(response: string | Buffer): Buffer {
  return encodeMessage(0x06, typeof response === 'string' ? Buffer.from(response, 'utf8') : response);
}

// Codec ID 0C | quantity 1 | type | size (4) | content | quantity 2
function encodeMessage(type: number, content: Buffer): Buffer {
  const writer = new ByteWriter().integer(0x0c, 1).integer(1, 1).integer(type, 1);
  return wrap(writer.integer(content.length, 4).raw(content).integer(1, 1).toBuffer());
}

// Preamble 00000000 | data field length (4) | data | CRC-16 (4)
function wrap(data: Buffer): Buffer {
  const frame = Buffer.alloc(8 + data.length + 4);
  frame.writeUInt32BE(data.length, 4);
  data.copy(frame, 8);
  frame.writeUInt32BE(crc16Ibm(data), 8 + data.length);
  return frame;
}

// Codec ID (1) | number of data 1 (1) | AVL data | number of data 2 (1)
function writeAvlData(writer: ByteWriter, records: readonly AvlRecord[], layout: AvlLayout): void {
  if (records.length > 255) throw new RangeError(`a frame holds at most 255 records, not ${records.length}`);
  writer.integer(layout.codecId, 1).integer(records.length, 1);
  for (const record of records) {
    writeHead(writer, record);
    writeIo(writer, record, layout);
  }
  writer.integer(records.length, 1);
}

// Timestamp (8) | priority (1) | longitude (4) | latitude (4) | altitude (2) | angle (2) | satellites (1) | speed (2)
function writeHead(writer: ByteWriter, record: AvlRecord): void {
  writer
    .integer64(record.ts)
    .integer(record.priority, 1)
    .integer(Math.round(record.longitude * 1e7), 4)
    .integer(Math.round(record.latitude * 1e7), 4)
    .integer(record.altitude, 2)
    .integer(record.angle, 2)
    .integer(record.satellites, 1)
    .integer(record.speed, 2);
}

// Event IO ID | generation type (codec 16) | N of total IO | N1, its elements | N2 … | N4 … | N8 … | NX … (8 Extended)
function writeIo(writer: ByteWriter, record: AvlRecord, layout: AvlLayout): void {
  writer.integer(record.eventId, layout.idBytes);
  if (layout.hasGenerationType) writer.integer(record.generationType ?? 0, 1);
  writer.integer(record.io.length, layout.countBytes);
  let written = 0;
  for (const width of FIXED_WIDTHS) written += writeGroup(writer, record.io, width, layout);
  if (layout.hasVariableGroup) writeVariableGroup(writer, record.io, record.io.length - written);
  else if (written < record.io.length) {
    throw new RangeError(`codec ${layout.codec} carries elements of 1, 2, 4 and 8 bytes only`);
  }
}

const FIXED_WIDTHS: readonly number[] = [1, 2, 4, 8];

function writeGroup(writer: ByteWriter, io: AvlRecord['io'], width: number, layout: AvlLayout): number {
  let count = 0;
  for (const element of io) if (element[1] === width) count += 1;
  writer.integer(count, layout.countBytes);
  for (const [id, elementWidth, value] of io) {
    if (elementWidth !== width) continue;
    writer.integer(id, layout.idBytes);
    writeValue(writer, value, width);
  }
  return count;
}

// NX (2) | NX times: id (2), length (2), value
function writeVariableGroup(writer: ByteWriter, io: AvlRecord['io'], count: number): void {
  writer.integer(count, 2);
  for (const [id, width, value] of io) {
    if (FIXED_WIDTHS.includes(width)) continue;
    writer.integer(id, 2).integer(width, 2);
    writeValue(writer, value, width);
  }
}

function writeValue(writer: ByteWriter, value: number | bigint | Buffer, width: number): void {
  if (Buffer.isBuffer(value)) {
    if (value.length !== width) throw new RangeError(`an element of ${width} bytes was given ${value.length}`);
    writer.raw(value);
  } else if (width === 1 || width === 2 || width === 4) writer.integer(Number(value), width);
  else if (width === 8) writer.integer64(value);
  else throw new RangeError(`an element of ${width} bytes needs a Buffer`);
}
