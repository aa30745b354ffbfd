/** An answer as it is kept and sent: bytes of text, a tag that changes with them, and where the next page begins. */
import { etagOfBytes } from '../../http/etag.ts';

export interface Answer {
  readonly body: Buffer;
  /** For `ETag`. */
  readonly tag: string;
  /** The cursor of the next page, as it stands in the body too; null: there is none. */
  readonly next: string | null;
}

const SEPARATOR = 0x0a;
const HEAD = /^(W\/"[\w-]{22}")(?: ([\w-]+))?$/;

/**
 * Bytes from here on: a text of megabytes would be encoded for the tag, for its length and for the socket.
 * @param next the cursor of the next page, as it stands in the text too
 */
export function answerOf(text: string, next: string | null = null): Answer {
  const body = Buffer.from(text);
  return { body, tag: etagOfBytes(body), next };
}

const BETWEEN_ITEMS = ',\n';

/**
 * A page of a list. Its items are encoded one by one: a text of all of them would be made only to be thrown away, and
 * what is so large is expensive to throw away.
 * @param head JSON up to the first item, which is in a list
 * @param items JSON of each
 * @param next the cursor of the next page
 * @param rest JSON of members behind `next`, each after a comma
 */
export function answerOfPage(head: string, items: readonly string[], next: string | null, rest = ''): Answer {
  const tail = `],"next":${JSON.stringify(next)}${rest}}\n`;
  const between = BETWEEN_ITEMS.length * Math.max(0, items.length - 1);
  const length = items.reduce((sum, item) => sum + Buffer.byteLength(item), Buffer.byteLength(head + tail) + between);
  const body = Buffer.allocUnsafe(length);
  let at = body.write(head);
  for (const [n, item] of items.entries()) {
    if (n > 0) at += body.write(BETWEEN_ITEMS, at, 'latin1');
    at += body.write(item, at);
  }
  body.write(tail, at);
  return { body, tag: etagOfBytes(body), next };
}

/** Of the value that becomes the JSON; `next` of it, where it is a page. */
export function answerOfValue(value: object): Answer {
  return answerOf(`${JSON.stringify(value)}\n`, 'next' in value && typeof value.next === 'string' ? value.next : null);
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
