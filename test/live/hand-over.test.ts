import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createConnection, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { handOver } from '../../src/live/feed/hand-over.ts';

const CHUNK = Buffer.alloc(64 * 1024, 'x');
/** More than the buffers of the operating system for one connection on this machine. */
const MANY = 1_000;

let server: Server;
let ours: Socket;
let theirs: Socket;

beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  theirs = createConnection((server.address() as AddressInfo).port, '127.0.0.1').pause();
  [ours] = (await once(server, 'connection')) as [Socket];
});

afterEach(() => {
  ours.destroy();
  theirs.destroy();
  server.close();
});

/** Writes until the other side, which reads nothing, takes nothing any more; `done` when it has taken all of it. */
function fill(): { chunks: number; done: Promise<undefined> } {
  const { promise: done, resolve } = Promise.withResolvers<undefined>();
  const onTaken = (): void => { resolve(undefined); };
  for (let chunks = 1; chunks < MANY; chunks += 1) if (!handOver(ours, CHUNK, onTaken)) return { chunks, done };
  throw new Error('everything was taken');
}

describe('handing over to a socket', () => {
  test('has a chunk taken at once by a viewer that keeps up, and does not call back', async () => {
    const received = once(theirs, 'data');
    theirs.resume();
    const isTaken = handOver(ours, Buffer.from('hello'), () => { throw new Error('called back'); });
    expect(isTaken).toBe(true);
    expect(String((await received)[0])).toBe('hello');
  });

  test('calls back when a chunk is taken that was not at once, and adds no byte to it', async () => {
    const { chunks, done } = fill();
    let bytes = 0;
    theirs.on('data', ({ length }: Buffer) => { bytes += length; });
    theirs.resume();
    await done;
    expect(ours.writableLength).toBe(0);
    ours.end();
    await once(theirs, 'end');
    expect(bytes).toBe(chunks * CHUNK.length);
  });

  test('does not take for gone what something else has waiting before it', async () => {
    fill();
    const { promise: done, resolve } = Promise.withResolvers<undefined>();
    expect(handOver(ours, Buffer.from('.'), () => { resolve(undefined); })).toBe(false);
    theirs.resume();
    await done;
    expect(ours.writableLength).toBe(0);
  });

  test('calls back when the socket ends with a chunk that was not taken', async () => {
    const { done } = fill();
    ours.destroy();
    await done;
  });
});
