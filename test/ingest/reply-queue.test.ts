import { expect, it } from 'vitest';
import { ReplyQueue } from '../../src/ingest/reply-queue.ts';

function queueOf(count: number) {
  const queue = new ReplyQueue();
  const sent: number[] = [];
  const releases = Array.from({ length: count }, (_, index) => queue.reserve(() => { sent.push(index); }));
  return { queue, sent, release: (...indices: number[]) => { for (const index of indices) releases[index]!(); } };
}

it('a reply waits for its own frame and for those before it', () => {
  const { queue, sent, release } = queueOf(4);
  release(2, 1);
  expect(sent).toEqual([]);
  expect(queue.length).toBe(4);
  release(0);
  expect(sent).toEqual([0, 1, 2]);
  expect(queue.length).toBe(1);
  release(3);
  expect(sent).toEqual([0, 1, 2, 3]);
  expect(queue.length).toBe(0);
});

it('replies leave in the order of their frames, whatever the order in which these become durable', () => {
  for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]]) {
    const { sent, release } = queueOf(4);
    release(...order);
    expect(sent).toEqual([0, 1, 2, 3]);
  }
});

it('releasing twice sends once', () => {
  const { sent, release } = queueOf(2);
  release(0, 0, 1, 1);
  expect(sent).toEqual([0, 1]);
});
