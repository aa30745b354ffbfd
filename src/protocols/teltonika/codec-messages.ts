/**
 * Messages of codecs 12, 13, 14 and 15: answers to commands, commands, serial data, camera packets. One message becomes
 * one record without a position. Messages take no acknowledgement. A read past the end throws a TruncatedError, which
 * `decode.ts` catches.
 *
 * Source: Teltonika wiki, "Teltonika Data Sending Protocols", codecs for communication over GPRS messages.
 */
import { ByteReader } from '../../shared/byte-reader.ts';
import type { TelemetryRecord } from '../../shared/model.ts';
import { textOrBytes } from '../../shared/text.ts';
import { crc16Ibm } from './crc16.ts';
import type { MutableAttributes } from './io-reader.ts';

/** What the codecs put before the content, in this order. */
export interface MessageLayout {
  readonly codec: number;
  readonly hasTimestamp: boolean;
  readonly hasImei: boolean;
}

export const MESSAGE_LAYOUTS: readonly MessageLayout[] = [
  { codec: 12, hasTimestamp: false, hasImei: false },
  { codec: 13, hasTimestamp: true, hasImei: false },
  { codec: 14, hasTimestamp: false, hasImei: true },
  { codec: 15, hasTimestamp: true, hasImei: true },
];

const COMMAND = 0x05;
const CAMERA = 0x0d;
const NACK = 0x11;

/**
 * Messages have no event I/O id, and several may carry the same second. Their event ids begin here, above those of
 * I/O elements, and differ by content: so (device, ts, eventId) tells two messages apart, and one sent twice is one.
 */
export const FIRST_MESSAGE_EVENT_ID = 0x10000;

export type MessageReading =
  | { readonly record: TelemetryRecord }
  | { readonly fault: 'truncated' | 'trailing_bytes'; readonly message: string };

// Type (1) | size (4: of all that follows) | timestamp (13, 15) | IMEI (14, 15: 8 bytes of BCD) | content
/** Reads the message between quantity 1 and quantity 2. */
export function readMessage(bytes: Buffer, layout: MessageLayout, receivedAt: number): MessageReading {
  const reader = new ByteReader(bytes);
  const type = reader.u8();
  const size = reader.u32();
  if (size > reader.remaining) return { fault: 'truncated', message: sizeMessage(size, reader) };
  if (!isWholeSize(size, reader.remaining, layout)) {
    return { fault: 'trailing_bytes', message: sizeMessage(size, reader) };
  }

  const ts = layout.hasTimestamp ? readTimestamp(reader, layout) : receivedAt;
  const attributes: MutableAttributes = new Map();
  attributes.set('messageCodec', layout.codec);
  attributes.set('messageType', type);
  if (layout.hasImei) attributes.set('messageImei', reader.hex(8));
  setContent(attributes, type, reader.take(reader.remaining));
  return { record: messageRecord(ts, FIRST_MESSAGE_EVENT_ID + crc16Ibm(bytes), attributes) };
}

/** Some codec 13 devices do not count the timestamp (4 bytes) in the size. */
function isWholeSize(size: number, available: number, layout: MessageLayout): boolean {
  return size === available || (layout.codec === 13 && size + 4 === available);
}

// Codec 13: devices send 4 bytes of seconds; the documentation's example has 8 bytes of milliseconds, whose first
// two bytes are zero until the year 10889, which those of seconds have not been since the first of January 1970.
// Codec 15: 4 bytes of seconds.
function readTimestamp(reader: ByteReader, layout: MessageLayout): number {
  const isMilliseconds = layout.codec === 13 && reader.remaining >= 8
    && reader.bytes.readUInt16BE(reader.offset) === 0;
  if (!isMilliseconds) return reader.u32() * 1000;
  return reader.u32() * 0x1_0000_0000 + reader.u32();
}

function setContent(attributes: MutableAttributes, type: number, content: Buffer): void {
  if (type === CAMERA) attributes.set('result', Buffer.from(content));
  else if (type === NACK && content.length === 0) attributes.set('result', 'nack');
  else if (type === COMMAND) attributes.set('command', textOrBytes(content));
  else attributes.set('result', textOrBytes(content));
  const driver = driverOf(attributes.get('result') ?? attributes.get('command'));
  if (driver !== undefined) attributes.set('driverUniqueId', driver);
}

/** Driver card readers on the serial port send lines `GTSL|…|…|…|<card>|…`. */
function driverOf(content: unknown): string | undefined {
  if (typeof content !== 'string' || !content.startsWith('GTSL|')) return undefined;
  const card = content.split('|')[4]?.trim();
  return card === '' ? undefined : card;
}

function messageRecord(ts: number, eventId: number, attributes: MutableAttributes): TelemetryRecord {
  return {
    ts,
    latitude: null,
    longitude: null,
    altitude: null,
    course: null,
    speed: null,
    satellites: null,
    hdop: null,
    valid: false,
    priority: 0,
    eventId,
    attributes,
  };
}

function sizeMessage(size: number, reader: ByteReader): string {
  return `the size field says ${size} bytes, ${reader.remaining} are there`;
}
