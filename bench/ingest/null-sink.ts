/**
 * The least that a server of trackers can do, in Node: it answers the login, counts the bytes, and answers each frame.
 * Its frames all have the same length, which it is told. Nothing is read, checked or kept.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { serve } from '../support/forked.ts';

export interface NullSinkCommand {
  readonly frameBytes: number;
  readonly recordsPerFrame: number;
}

export interface NullSinkAnswer {
  readonly port: number;
  readonly bytes: number;
}

const LOGIN_ACCEPTED = Buffer.from([1]);
const acknowledgement = Buffer.alloc(4);
let frameBytes = Number.POSITIVE_INFINITY;
let bytes = 0;

const server = createServer((socket) => {
  let pending = Number.NaN;
  socket.setNoDelay(true);
  socket.on('data', (chunk) => {
    bytes += chunk.length;
    pending += chunk.length;
    if (Number.isNaN(pending)) {
      pending = 0;
      socket.write(LOGIN_ACCEPTED);
    } else if (pending >= frameBytes) {
      pending -= frameBytes;
      socket.write(acknowledgement);
    }
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

serve(async (command: NullSinkCommand): Promise<NullSinkAnswer> => {
  ({ frameBytes } = command);
  acknowledgement.writeUInt32BE(command.recordsPerFrame);
  return { port, bytes };
});
