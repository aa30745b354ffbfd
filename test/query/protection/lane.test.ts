import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Lane } from '../../../src/query/protection/lane.ts';

const stays = new AbortController().signal;

function gate(): { opened: Promise<undefined>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { opened: promise, open: () => { resolve(undefined); } };
}

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

describe('a lane', () => {
  test('runs so many at once, and the others in the order in which they came', async () => {
    const lane = new Lane({ size: 2, queueLimit: 10, maxWaitMs: 1_000 }, () => undefined);
    const gates = [0, 1, 2, 3].map(gate);
    const began: number[] = [];
    const runs = gates.map(({ opened }, at) => lane.run(stays, async () => {
      began.push(at);
      await opened;
    }));
    await vi.advanceTimersByTimeAsync(0);
    expect([began, lane.running, lane.waiting]).toEqual([[0, 1], 2, 2]);
    gates[1]?.open();
    await runs[1];
    await vi.advanceTimersByTimeAsync(0);
    expect([began, lane.running, lane.waiting]).toEqual([[0, 1, 2], 2, 1]);
    for (const { open } of gates) open();
    await Promise.all(runs);
    expect([began, lane.running, lane.waiting]).toEqual([[0, 1, 2, 3], 0, 0]);
  });

  test('turns away who comes to a full queue, and who waits too long', async () => {
    const reasons: string[] = [];
    const lane = new Lane({ size: 1, queueLimit: 1, maxWaitMs: 1_000 }, (reason) => reasons.push(reason));
    const { opened, open } = gate();
    const first = lane.run(stays, () => opened);
    const second = expect(lane.run(stays, () => Promise.resolve())).rejects.toMatchObject({ code: 'overloaded', headers: { 'retry-after': '1' } });
    await expect(lane.run(stays, () => Promise.resolve())).rejects.toMatchObject({ code: 'overloaded' });
    await vi.advanceTimersByTimeAsync(1_000);
    await second;
    expect([reasons, lane.waiting]).toEqual([['full', 'overdue'], 0]);
    open();
    await first;
    expect(lane.running).toBe(0);
  });

  test('forgets who goes while it waits, and gives the place back of who fails', async () => {
    const lane = new Lane({ size: 1, queueLimit: 5, maxWaitMs: 1_000 }, () => undefined);
    const { opened, open } = gate();
    const first = lane.run(stays, async () => {
      await opened;
      throw new Error('failed');
    });
    const gone = new AbortController();
    const second = lane.run(gone.signal, () => Promise.resolve('never'));
    gone.abort(new Error('gone'));
    await expect(second).rejects.toThrow('gone');
    open();
    await expect(first).rejects.toThrow('failed');
    expect([lane.running, lane.waiting]).toEqual([0, 0]);
    expect(await lane.run(stays, () => Promise.resolve('next'))).toBe('next');
  });
});
