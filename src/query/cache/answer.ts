/** An answer as it is kept and sent: bytes of JSON, and a tag that changes with them. */
import { createHash } from 'node:crypto';

export interface Answer {
  readonly body: Buffer;
  /** For `ETag`. Weak, since the bytes may be compressed on their way. */
  readonly tag: string;
}

const TAG_BYTES = 16;
const SEPARATOR = 0x0a;

export function answerOf(body: Buffer): Answer {
  const digest = createHash('sha256').update(body).digest().subarray(0, TAG_BYTES);
  return { body, tag: `W/"${digest.toString('base64url')}"` };
}

/** Tag, line feed, body. */
export function encodeAnswer({ body, tag }: Answer): Buffer {
  return Buffer.concat([Buffer.from(tag), Buffer.of(SEPARATOR), body]);
}

/** null: it is not what `encodeAnswer` makes. */
export function decodeAnswer(bytes: Buffer): Answer | null {
  const end = bytes.indexOf(SEPARATOR);
  const tag = end < 0 ? '' : bytes.toString('latin1', 0, end);
  return /^W\/"[\w-]{22}"$/.test(tag) ? { tag, body: bytes.subarray(end + 1) } : null;
}

/** Whether the caller has this answer already, by its `If-None-Match`. */
export function isKnown({ tag }: Answer, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  const strong = tag.slice(2);
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((one) => one.trim().replace(/^W\//, '') === strong);
}
