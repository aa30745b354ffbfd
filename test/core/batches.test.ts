/** When a transaction begins, and when the stream is read: told by a clock of the test's own. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Batches } from '../../src/core/batches.ts';
import type { ProcessorEntry } from '../../src/core/entry.ts';
import { EntryQueue } from '../../src/core/entry-queue.ts';
import type { StoredRecord } from '../../src/shared/contracts/record-fields.ts';

beforeEach(() => { vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }); });
afterEach(() => { vi.useRealTimers(); });

function entry(id: string, recordCount = 1): ProcessorEntry {
  const records = Array.from({ length: recordCount }, () => ({}) as StoredRecord);
  return { stream: 's', id, deviceId: 'a', protocol: 'p', receivedAt: 0, records, deadLetters: [], alone: false };
}

function open() {
  const queue = new EntryQueue(1_000, () => undefined);
  const batches = new Batches(queue, 100);
  /** The ids of the next batch, and after how many milliseconds of waiting. */
  const next = async (): Promise<{ ids: string[] | undefined; afterMs: number }> => {
    const askedAt = performance.now();
    const entries = await batches.next();
    return { ids: entries?.map(({ id }) => id), afterMs: performance.now() - askedAt };
  };
  return { queue, batches, next };
}

async function within(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

describe('a transaction', () => {
  test('begins at once with what comes after a silence', async () => {
    const { queue, next } = open();
    const batch = next();
    await within(1_000);
    await queue.push([entry('1')]);
    expect(await batch).toEqual({ ids: ['1'], afterMs: 1_000 });
  });

  test('begins 10 ms after the one before where little has come, with all of it', async () => {
    const { queue, batches, next } = open();
    await queue.push([entry('1')]);
    await next();
    batches.done();
    const batch = next();
    await queue.push([entry('2')]);
    await within(5);
    await queue.push([entry('3')]);
    await within(5);
    expect(await batch).toEqual({ ids: ['2', '3'], afterMs: 10 });
  });

  test('begins when the one before is done, where that takes longer', async () => {
    const { queue, batches, next } = open();
    await queue.push([entry('1')]);
    await next();
    const batch = next();
    await queue.push([entry('2')]);
    await within(30);
    batches.done();
    expect(await batch).toEqual({ ids: ['2'], afterMs: 30 });
  });

  test('begins beside another one with half of a batch', async () => {
    const { queue, next } = open();
    await queue.push([entry('1')]);
    await next();
    await queue.push([entry('2', 50)]);
    expect(await next()).toEqual({ ids: ['2'], afterMs: 0 });
  });

  test('begins beside one that takes for ever', async () => {
    const { queue, next } = open();
    await queue.push([entry('1')]);
    await next();
    const batch = next();
    await queue.push([entry('2')]);
    await within(50);
    expect(await batch).toEqual({ ids: ['2'], afterMs: 50 });
  });

  test('takes what is left at once when the queue is finished, and then there is no more', async () => {
    const { queue, next } = open();
    await queue.push([entry('1')]);
    await next();
    await queue.push([entry('2')]);
    queue.finish();
    expect(await next()).toEqual({ ids: ['2'], afterMs: 0 });
    expect(await next()).toEqual({ ids: undefined, afterMs: 0 });
  });
});

describe('a read', () => {
  test('is wanted at once while nothing is written', async () => {
    const { batches } = open();
    await expect(batches.untilWanted()).resolves.toBeUndefined();
  });

  test('is wanted when a transaction is done, or after 20 ms of it', async () => {
    const { queue, batches, next } = open();
    const passedAt: number[] = [];
    const wait = (): void => void batches.untilWanted().then(() => passedAt.push(performance.now()));
    await queue.push([entry('1')]);
    await next();
    const beganAt = performance.now();
    wait();
    await within(15);
    batches.done();
    await within(0);
    await queue.push([entry('2')]);
    await next();
    wait();
    await within(30);
    expect(passedAt.map((at) => at - beganAt)).toEqual([15, 35]);
  });

  test('is not waited for once the queue is finished', async () => {
    const { queue, batches, next } = open();
    await queue.push([entry('1')]);
    await next();
    queue.finish();
    await expect(batches.untilWanted()).resolves.toBeUndefined();
  });
});
