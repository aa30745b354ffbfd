/**
 * One packet to its record. Whatever the bytes are, the result is a value: a packet that cannot be read is rejected
 * whole, since it holds one record. What a layout does not cover is kept in the record as `data`.
 */
import { ByteReader } from '../../shared/byte-reader.ts';
import { TruncatedError } from '../../shared/errors.ts';
import type { TelemetryRecord } from '../../shared/model.ts';
import type { RejectedRecord } from '../protocol.ts';
import { crcItu } from './crc-itu.ts';
import type { Message, WifiMessage } from './frame.ts';
import type { MessageType } from './messages.ts';
import { FieldError, RecordDraft } from './record.ts';
import type { Decode } from './record.ts';
import { readWifiPacket } from './stations.ts';

export interface Decoded {
  readonly records: readonly TelemetryRecord[];
  readonly rejected: readonly RejectedRecord[];
}

const NOTHING: Decoded = { records: [], rejected: [] };

/** The record of a packet of a known type. `frame` is kept, copied, if it has to be rejected. */
export function decodeMessage(
  message: Message, type: MessageType, zoneOffsetMs: number, receivedAt: number, frame: Buffer,
): Decoded {
  if (type.decode === null) return NOTHING;
  const draft = new RecordDraft(type.clock === 'utc' ? 0 : zoneOffsetMs);
  return decodeContent(message, draft, type.decode, type.isPeriodic, receivedAt, frame);
}

/** The record of a Wi-Fi packet, which has no CRC to vouch for it. */
export function decodeWifi(message: WifiMessage, receivedAt: number, frame: Buffer): Decoded {
  const decode: Decode = (content, record) => readWifiPacket(content, record, message.accessPoints);
  return decodeContent(message, new RecordDraft(0), decode, false, receivedAt, frame);
}

/** A packet whose number is not in the table. */
export function rejectUnknown(message: Message, frame: Buffer): Decoded {
  const type = message.type.toString(16).padStart(2, '0');
  const text = `protocol number ${type}${message.isExtended ? ' behind 7979' : ''} is not known`;
  return reject({ code: 'unknown_codec', field: 'protocolNumber', message: text }, frame);
}

function decodeContent(
  message: Message | WifiMessage, draft: RecordDraft, decode: Decode, isPeriodic: boolean, receivedAt: number,
  frame: Buffer,
): Decoded {
  const content = new ByteReader(message.content);
  draft.set('type', message.type);
  try {
    decode(content, draft);
  } catch (error) {
    if (error instanceof TruncatedError) {
      return reject({ code: 'truncated', field: 'content', message: error.message }, frame);
    }
    if (error instanceof FieldError) return reject({ code: 'bad_field', field: error.field, message: error.message }, frame);
    throw error;
  }
  if (content.remaining > 0) draft.set('data', Buffer.from(content.take(content.remaining)));
  return { records: [draft.finish(message.type, isPeriodic, crcItu(message.content), receivedAt)], rejected: [] };
}

function reject(reason: Omit<RejectedRecord, 'raw'>, frame: Buffer): Decoded {
  return { records: [], rejected: [{ ...reason, raw: Buffer.from(frame) }] };
}
