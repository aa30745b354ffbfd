/** Text that devices send, without losing what is not text. */
import { isUtf8 } from 'node:buffer';

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
