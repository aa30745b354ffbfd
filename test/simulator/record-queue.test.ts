import { describe, expect, it } from 'vitest';
import { Random } from '../../src/simulator/random.ts';
import { keyEventId, keyTime, NumberLog, recordKey, RecordQueue } from '../../src/simulator/record-queue.ts';

function queueOf(count: number, newestFirst = false): RecordQueue {
  const queue = new RecordQueue(newestFirst, true);
  for (let key = 1; key <= count; key += 1) queue.push(key);
  return queue;
}

describe('recordKey', () => {
  it('holds time and event id, and sorts by time first', () => {
    const ts = Date.UTC(2099, 0, 1) + 123;
    const key = recordKey(ts, 239);
    expect(keyTime(key)).toBe(ts);
    expect(keyEventId(key)).toBe(239);
    expect(key).toBeGreaterThan(recordKey(ts, 0));
    expect(key).toBeLessThan(recordKey(ts + 1, 0));
  });
});

describe('RecordQueue', () => {
  it('fills frames from the oldest record', () => {
    const queue = queueOf(5);
    queue.fill(3);
    expect(queue.frame).toEqual([1, 2, 3]);
    expect(queue.waiting).toBe(2);
    expect(queue.unacknowledged).toBe(5);
  });

  it('fills frames from the newest record when asked to', () => {
    const queue = queueOf(5, true);
    queue.fill(3);
    expect(queue.frame).toEqual([5, 4, 3]);
    queue.acknowledge(3);
    queue.push(6);
    queue.fill(3);
    expect(queue.frame).toEqual([6, 2, 1]);
  });

  it('keeps a frame until it is acknowledged', () => {
    const queue = queueOf(5);
    queue.fill(2);
    queue.fill(2);
    expect(queue.frame).toEqual([1, 2]);
  });

  it('keeps what the acknowledgement does not count', () => {
    const queue = queueOf(5);
    queue.fill(4);
    queue.acknowledge(1);
    expect(queue.frame).toEqual([2, 3, 4]);
    expect(queue.lastAcknowledged).toEqual([1]);
    expect([...queue.acknowledgedKeys()]).toEqual([1]);
  });

  it('hands out every record once, however many there are', () => {
    const queue = queueOf(10_000);
    const seen: number[] = [];
    while (queue.unacknowledged > 0) {
      queue.fill(7);
      seen.push(...queue.frame);
      queue.acknowledge(queue.frame.length);
      if (seen.length % 5 === 0) queue.push(100_000 + seen.length);
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(queue.acknowledgedKeys()).toHaveLength(seen.length);
  });

  it('shuffles without losing anything', () => {
    const queue = queueOf(100);
    queue.shuffle(new Random(1));
    queue.fill(100);
    expect(queue.frame).not.toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(new Set(queue.frame).size).toBe(100);
  });

  it('does not keep acknowledged records unless asked to', () => {
    const queue = new RecordQueue(false, false);
    queue.push(1);
    queue.fill(1);
    queue.acknowledge(1);
    expect(queue.acknowledgedKeys()).toHaveLength(0);
  });
});

describe('NumberLog', () => {
  it('gives all its numbers in order', () => {
    const log = new NumberLog();
    for (let number = 1_000; number > 0; number -= 1) log.push(number);
    expect([...log.sorted()]).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
  });
});
