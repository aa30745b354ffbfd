/**
 * Memory for what connections copy into tables, used again for the next batch of the same connection: more than half a
 * megabyte each time, which the operating system would have to give page by page, and V8 to collect. A connection
 * copies one stream at a time, and has sent all of it when the server says that it is stored.
 */
import type { ClientBase } from 'pg';

/** Batches differ: what is too small for the next one was of no use. */
const ROOM = 1.25;
/** One batch of huge records is no reason to keep as much for ever. */
const MOST_KEPT_BYTES = 8 * 1024 * 1024;

const memories = new WeakMap<ClientBase, Buffer>();

/** At least so many bytes, until this is called again for the same connection. */
export function copyMemory(client: ClientBase, bytes: number): Buffer {
  const kept = memories.get(client);
  if (kept !== undefined && kept.length >= bytes) return kept;
  const memory = Buffer.allocUnsafeSlow(Math.ceil(bytes * ROOM));
  if (memory.length <= MOST_KEPT_BYTES) memories.set(client, memory);
  return memory;
}

/** For a connection that may still be sending what was copied: it is never overwritten. */
export function forgetCopyMemory(client: ClientBase): void {
  memories.delete(client);
}
