import { expect, test } from 'vitest';
import { NO_BREAKS, RegularBreaks } from '../../../src/core/rollups/breaks.ts';

function site() {
  let now = 1_000;
  const rests: number[] = [];
  const rest = (ms: number): Promise<void> => {
    rests.push(ms);
    now += ms;
    return Promise.resolve();
  };
  const breaks = new RegularBreaks(new AbortController().signal, () => now, rest);
  return { breaks, rests, work: (ms: number) => { now += ms; } };
}

test('little work has no break, and is counted until there is one', async () => {
  const { breaks, rests, work } = site();
  work(9);
  await breaks.take();
  expect(rests).toEqual([]);
  work(1);
  await breaks.take();
  expect(rests).toEqual([20]);
  await breaks.take();
  work(9.5);
  await breaks.take();
  expect(rests).toEqual([20]);
});

test('a break is twice as long as the work before it, however slow that was', async () => {
  const { breaks, rests, work } = site();
  for (const ms of [15, 400, 10]) {
    work(ms);
    await breaks.take();
  }
  expect(rests).toEqual([30, 800, 20]);
});

test('a break ends when the work is to end', async () => {
  const ending = new AbortController();
  let now = 0;
  const breaks = new RegularBreaks(ending.signal, () => now);
  now = 1_000_000;
  const taken = breaks.take();
  ending.abort();
  await taken;
  await breaks.take();
});

test('without breaks there is none', async () => {
  await NO_BREAKS.take();
});
