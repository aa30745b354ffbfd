/** An answer as it is kept and sent: bytes of JSON, and a tag that changes with them. */
import { tagOf } from '../answer.ts';

export interface Answer {
  readonly body: Buffer;
  /** For `ETag`. */
  readonly tag: string;
}

const SEPARATOR = 0x0a;
const TAG = /^"[\w-]{27}"$/;

export function answerOf(body: Buffer): Answer {
  return { body, tag: tagOf(body) };
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
