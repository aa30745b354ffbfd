import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Writable } from 'node:stream';
import * as webSockets from 'ws';
import { CHUNK_BYTES, Message, joined } from '../../src/live/messages/frames.ts';

/** Exported, and missing in the types. */
const { Receiver } = webSockets as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

/** What a client of `ws` makes of bytes: the messages in them. */
async function received(bytes: Buffer): Promise<string[]> {
  const messages: string[] = [];
  const receiver = new Receiver({ isServer: false });
  receiver.on('message', (data: Buffer) => { messages.push(data.toString()); });
  await new Promise((resolve, reject) => {
    receiver.on('error', reject);
    Readable.from([bytes]).pipe(receiver).on('finish', resolve);
  });
  return messages;
}

describe('a message as WebSocket frames', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 131_072, 131_073, 1_000_000])('of %i bytes arrives', async (length) => {
    const text = 'x'.repeat(length);
    expect(await received(Buffer.concat(new Message(text).pieces('websocket')))).toEqual([text]);
  });

  it('is cut into fragments between which a ping may come', async () => {
    const text = 'é'.repeat(CHUNK_BYTES * 2);
    const ping = Buffer.from([0x89, 0x00]);
    const pieces = new Message(text).pieces('websocket').flatMap((piece) => [piece, ping]);
    expect(pieces).toHaveLength(8);
    expect(await received(Buffer.concat(pieces))).toEqual([text]);
  });

  it('arrives whatever it says', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' })), async (texts) => {
      const bytes = Buffer.concat(texts.flatMap((text) => [...new Message(text).pieces('websocket')]));
      expect(await received(bytes)).toEqual(texts);
    }));
  });

  it('is made once', () => {
    const message = new Message('{}');
    expect(message.pieces('websocket')).toBe(message.pieces('websocket'));
    expect(message.pieces('sse')).toBe(message.pieces('sse'));
  });
});

describe('a message as an event', () => {
  it('is one data line, with its id if it has one', () => {
    expect(Buffer.concat(new Message('{"a":1}').pieces('sse')).toString()).toBe('data: {"a":1}\n\n');
    expect(Buffer.concat(new Message('{}', '1-0,2-0').pieces('sse')).toString()).toBe('id: 1-0,2-0\ndata: {}\n\n');
    expect(Buffer.concat(new Message('{}', '1-0,2-0').pieces('sse_without_ids')).toString()).toBe('data: {}\n\n');
  });

  it('comes in pieces of bounded length', () => {
    const pieces = new Message('x'.repeat(200_000)).pieces('sse');
    expect(pieces.map(({ length }) => length).every((length) => length <= CHUNK_BYTES)).toBe(true);
    expect(Buffer.concat(pieces).toString()).toBe(`data: ${'x'.repeat(200_000)}\n\n`);
  });
});

describe('pieces that are joined', () => {
  it('are the same bytes in fewer chunks, and a chunk is longer than allowed only where a piece is', () => {
    const piece = fc.integer({ min: 0, max: CHUNK_BYTES * 1.5 }).map((length) => Buffer.alloc(length, length % 251));
    fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const chunks = joined(pieces);
      expect(Buffer.concat(chunks).equals(Buffer.concat(pieces))).toBe(true);
      expect(chunks.length).toBeLessThanOrEqual(pieces.length);
      const tooLong = chunks.filter(({ length }) => length > CHUNK_BYTES);
      for (const chunk of tooLong) expect(pieces.some(({ length }) => length === chunk.length)).toBe(true);
    }), { numRuns: 50 });
  });

  it('are not copied where there is one', () => {
    const only = Buffer.from('x');
    expect(joined([only])[0]).toBe(only);
    expect(joined([])).toEqual([]);
  });
});
