/** The queue between readers and writers: bounded, in order, and nobody waits for ever. */
import { describe, expect, test } from 'vitest';
import type { ProcessorEntry } from '../../src/core/entry.ts';
import { EntryQueue } from '../../src/core/entry-queue.ts';
import type { DeadLetter } from '../../src/shared/contracts/dead-letter-stream.ts';
import type { StoredRecord } from '../../src/shared/contracts/record-fields.ts';

const RECORD = {} as StoredRecord;
const LETTER = {} as DeadLetter;

function entry(id: string, recordCount: number, fields: Partial<ProcessorEntry> = {}): ProcessorEntry {
  const records = Array.from({ length: recordCount }, () => RECORD);
  return { stream: 's', id, deviceId: 'a', protocol: 'p', receivedAt: 0, records, deadLetters: [], alone: false, ...fields };
}

function open(maxRecords: number): { queue: EntryQueue; sizes: number[] } {
  const sizes: number[] = [];
  return { queue: new EntryQueue(maxRecords, (records) => sizes.push(records)), sizes };
}

async function takeIds(queue: EntryQueue, maxRecords: number): Promise<string[] | null> {
  return (await queue.take(maxRecords))?.map(({ id }) => id) ?? null;
}

/** Whether a promise has settled once everything that is due has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => { settled = true; });
  const { promise: turn, resolve } = Promise.withResolvers<undefined>();
  setImmediate(() => { resolve(undefined); });
  await turn;
  return settled;
}

describe('EntryQueue', () => {
  test('gives entries in order, as many as fit into a batch', async () => {
    const { queue } = open(100);
    await queue.push([entry('1', 4), entry('2', 4), entry('3', 4), entry('4', 1)]);
    expect(await takeIds(queue, 9)).toEqual(['1', '2']);
    expect(await takeIds(queue, 9)).toEqual(['3', '4']);
  });

  test('gives an entry that is larger than a batch, by itself', async () => {
    const { queue } = open(100);
    await queue.push([entry('1', 50), entry('2', 1)]);
    expect(await takeIds(queue, 10)).toEqual(['1']);
    expect(await takeIds(queue, 10)).toEqual(['2']);
  });

  test('gives an entry that is to be alone neither with those before it nor with those behind it', async () => {
    const { queue } = open(100);
    await queue.push([entry('1', 1), entry('2', 1, { alone: true }), entry('3', 1, { alone: true }), entry('4', 1)]);
    expect(await takeIds(queue, 10)).toEqual(['1']);
    expect(await takeIds(queue, 10)).toEqual(['2']);
    expect(await takeIds(queue, 10)).toEqual(['3']);
    expect(await takeIds(queue, 10)).toEqual(['4']);
  });

  test('a push waits while the queue is full, and goes on when there is room', async () => {
    const { queue, sizes } = open(10);
    const pushed = queue.push([entry('1', 6), entry('2', 6)]);
    expect(await isSettled(pushed)).toBe(false);
    await queue.take(6);
    await pushed;
    expect(sizes).toEqual([12, 6]);
  });

  test('every waiting push goes on once there is room, and none before', async () => {
    const { queue } = open(10);
    const pushes = ['1', '2', '3'].map((id) => queue.push([entry(id, 10)]));
    await queue.take(10);
    expect(await Promise.all(pushes.map(isSettled))).toEqual([false, false, false]);
    await queue.take(10);
    await queue.take(10);
    await Promise.all(pushes);
  });

  test('entries without records fill the queue too', async () => {
    const { queue } = open(3);
    const pushed = queue.push([entry('1', 0), entry('2', 0, { deadLetters: [LETTER, LETTER] })]);
    expect(await isSettled(pushed)).toBe(false);
    expect(await takeIds(queue, 2)).toEqual(['1']);
    await pushed;
    expect(await takeIds(queue, 2)).toEqual(['2']);
  });

  test('a take waits for an entry', async () => {
    const { queue } = open(10);
    const taken = takeIds(queue, 10);
    expect(await isSettled(taken)).toBe(false);
    await queue.push([entry('1', 1)]);
    expect(await taken).toEqual(['1']);
  });

  test('once finished it takes nothing in, gives what it has, and then says that there is no more', async () => {
    const { queue } = open(10);
    const waiting = queue.push([entry('1', 10), entry('2', 1)]);
    queue.finish();
    await waiting;
    await queue.push([entry('3', 1)]);
    expect(await takeIds(queue, 10)).toEqual(['1']);
    expect(await takeIds(queue, 10)).toEqual(['2']);
    expect(await takeIds(queue, 10)).toBeNull();
  });

  test('closing it frees everybody who waits', async () => {
    const { queue, sizes } = open(10);
    const pushed = queue.push([entry('1', 10)]);
    queue.close();
    await pushed;
    expect(await takeIds(queue, 10)).toBeNull();
    expect(sizes.at(-1)).toBe(0);
    const empty = open(10).queue;
    const taken = [takeIds(empty, 1), takeIds(empty, 1)];
    empty.close();
    expect(await Promise.all(taken)).toEqual([null, null]);
  });
});
