/**
 * Packets of text: what a device answers to a command, and what it passes on from a serial port.
 *
 * Sources: Concox, "GPS Tracker Communication Protocol" (JM-VL03), packets 15 and 21; JM-VL01 V19, packet 9B.
 */
import { isStorableText, textOrBytes, withoutPadding } from '../../shared/text.ts';
import type { ByteReader } from '../../shared/byte-reader.ts';
import { readLocationText } from './location-text.ts';
import type { RecordDraft } from './record.ts';
import { setLanguage } from './status.ts';

const FLAG_BYTES = 4;
const LANGUAGE_BYTES = 2;
const ICCID_TEXT = /^<ICCID:(\w{19,20})/;

/**
 * 15, and 80 to 82 from old devices: length (1) of flag and text, server flag (4), text, language (2). Some devices
 * leave the length at 0.
 */
export function readCommandReply(content: ByteReader, record: RecordDraft): void {
  const length = content.u8();
  if (content.remaining < FLAG_BYTES) return;
  setServerFlag(record, content.u32());
  const rest = Math.max(0, content.remaining - LANGUAGE_BYTES);
  const isCounted = length >= FLAG_BYTES && length - FLAG_BYTES <= content.remaining;
  setResult(record, textOrBytes(content.take(isCounted ? length - FLAG_BYTES : rest)));
  if (content.remaining === LANGUAGE_BYTES) setLanguage(record, content.u16());
}

const ASCII = 1;

/** 21. Server flag (4), code (1: 1 ASCII, 2 UTF-16 big endian), text to the end. */
export function readCommandReplyText(content: ByteReader, record: RecordDraft): void {
  setServerFlag(record, content.u32());
  const isAscii = content.u8() === ASCII;
  const bytes = content.take(content.remaining);
  if (isAscii || bytes.length % 2 === 1) setResult(record, textOrBytes(bytes));
  else setResult(record, utf16OrBytes(bytes));
}

/** UTF-16, big endian, as text; the bytes themselves where it is none. */
function utf16OrBytes(bytes: Buffer): string | Buffer {
  const text = withoutPadding(Buffer.from(bytes).swap16().toString('utf16le'));
  return isStorableText(text) ? text : Buffer.from(bytes);
}

/** The server flag comes back as the command had it; 0 where none was set. */
function setServerFlag(record: RecordDraft, flag: number): void {
  if (flag !== 0) record.set('serverFlag', flag);
}

function setResult(record: RecordDraft, text: string | Buffer): void {
  if (text.length === 0) return;
  const iccid = typeof text === 'string' ? ICCID_TEXT.exec(text)?.[1] : undefined;
  if (iccid !== undefined) record.set('iccid', iccid);
  else if (typeof text !== 'string' || !readLocationText(text, record)) record.set('result', text);
}

/** 9B. Kind of the external device (1), data: text where it can be read, hexadecimal digits otherwise. */
export function readSerialData(content: ByteReader, record: RecordDraft): void {
  record.set('serialDevice', content.u8());
  const bytes = content.take(content.remaining);
  const isText = bytes.every((byte) => (byte >= 0x20 && byte < 0x80) || byte === 0x0d || byte === 0x0a);
  if (bytes.length > 0) record.set('result', isText ? bytes.toString('latin1').trim() : bytes.toString('hex'));
}
