/** An answer as it is kept and sent: bytes of JSON, a tag that changes with them, and where the next page begins. */
import { etagOf } from '../../http/etag.ts';

export interface Answer {
  readonly body: Buffer;
  /** For `ETag`. */
  readonly tag: string;
  /** The cursor of the next page, as it stands in the body too; null: there is none. */
  readonly next: string | null;
}

const SEPARATOR = 0x0a;
const HEAD = /^(W\/"[\w-]{22}")(?: ([\w-]+))?$/;

/** Of the value that becomes the JSON; `next` of it, where it is a page. */
export function answerOf(value: object): Answer {
  const json = `${JSON.stringify(value)}\n`;
  const next = 'next' in value && typeof value.next === 'string' ? value.next : null;
  return { body: Buffer.from(json), tag: etagOf(json), next };
}

/** Tag, the next page after a space where there is one, line feed, body. */
export function encodeAnswer({ body, tag, next }: Answer): Buffer {
  return Buffer.concat([Buffer.from(next === null ? tag : `${tag} ${next}`), Buffer.of(SEPARATOR), body]);
}

/** null: it is not what `encodeAnswer` makes. */
export function decodeAnswer(bytes: Buffer): Answer | null {
  const end = bytes.indexOf(SEPARATOR);
  const head = HEAD.exec(end < 0 ? '' : bytes.toString('latin1', 0, end));
  const tag = head?.[1];
  return tag === undefined ? null : { tag, next: head?.[2] ?? null, body: bytes.subarray(end + 1) };
}
