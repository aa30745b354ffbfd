/**
 * A chunk into the TCP socket of a viewer. Most writes are over when the call returns: they cost no callback then,
 * which would be a turn of the task queue for each viewer and tick.
 */
import type { Writable } from 'node:stream';

const NOTHING = Buffer.alloc(0);

/**
 * @param socket what others have written to it counts as waiting too
 * @returns whether the operating system has taken all at once; otherwise `done` is called when it has, or when the
 *   socket has failed
 */
export function handOver(socket: Writable, chunk: Buffer, done: () => void): boolean {
  socket.write(chunk);
  if (socket.writableLength === 0) return true;
  // Its turn comes behind the chunk.
  socket.write(NOTHING, done);
  return false;
}
