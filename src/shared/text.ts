/** Text that devices send, without losing what is not text. */
import { isUtf8 } from 'node:buffer';

/** Whether JSON in PostgreSQL can hold it: it has no place for a NUL and for half of a surrogate pair. */
export function isStorableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** Without the NULs at its end. A regular expression would look at every run of NULs as often as it is long. */
export function withoutPadding(text: string): string {
  let end = text.length;
  while (text.charCodeAt(end - 1) === 0) end -= 1;
  return text.slice(0, end);
}

/**
 * A device's byte string as text where it is text, otherwise as the bytes themselves: trailing NULs (padding) go,
 * and a NUL inside or invalid UTF-8 keeps the value a Buffer, since neither JSON in PostgreSQL nor a reader could hold
 * it as a string.
 */
export function textOrBytes(bytes: Buffer): string | Buffer {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  const content = bytes.subarray(0, end);
  if (content.includes(0) || !isUtf8(content)) return Buffer.from(bytes);
  return content.toString('utf8');
}
