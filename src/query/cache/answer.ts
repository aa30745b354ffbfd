/** An answer as it is kept and sent: bytes of text, and a tag that changes with them. */
import { etagOfBytes } from '../../http/etag.ts';

export interface Answer {
  readonly body: Buffer;
  /** For `ETag`. */
  readonly tag: string;
}

const SEPARATOR = 0x0a;
const TAG = /^W\/"[\w-]{22}"$/;

/** Bytes from here on: a text of megabytes would be encoded for the tag, for its length and for the socket. */
export function answerOf(text: string): Answer {
  const body = Buffer.from(text);
  return { body, tag: etagOfBytes(body) };
}

/** Tag, line feed, body. */
export function encodeAnswer({ body, tag }: Answer): Buffer {
  return Buffer.concat([Buffer.from(tag), Buffer.of(SEPARATOR), body]);
}

/** null: it is not what `encodeAnswer` makes. */
export function decodeAnswer(bytes: Buffer): Answer | null {
  const end = bytes.indexOf(SEPARATOR);
  const tag = end < 0 ? '' : bytes.toString('latin1', 0, end);
  return TAG.test(tag) ? { tag, body: bytes.subarray(end + 1) } : null;
}
