/**
 * The TCP socket of a viewer as the place where its chunks go. Most writes are over when the call returns: they cost no
 * callback then, which would be a turn of the task queue for each viewer and tick.
 */
import type { Writable } from 'node:stream';
import type { Sink } from './outbox.ts';

const NOTHING = Buffer.alloc(0);

/** @param socket what others write to it counts as waiting too */
export function socketSink(socket: Writable): Sink {
  return {
    write: (chunk, done) => {
      socket.write(chunk);
      if (socket.writableLength === 0) return true;
      // Its turn comes when the chunk is taken, or when the socket has failed.
      socket.write(NOTHING, done);
      return false;
    },
  };
}
