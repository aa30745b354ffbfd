import { expect, it } from 'vitest';
import { PoisonFrames } from '../../src/ingest/poison-frames.ts';

const FRAME = Buffer.from('00000000', 'hex');

it('a frame is poison from the given attempt on', () => {
  const poison = new PoisonFrames(3);
  expect([1, 2, 3, 4].map(() => poison.isPoison('A', FRAME))).toEqual([false, false, true, true]);
});

it('frames and devices are counted apart', () => {
  const poison = new PoisonFrames(2);
  expect(poison.isPoison('A', FRAME)).toBe(false);
  expect(poison.isPoison('B', FRAME)).toBe(false);
  expect(poison.isPoison(null, FRAME)).toBe(false);
  expect(poison.isPoison('A', Buffer.from('00000001', 'hex'))).toBe(false);
  expect(poison.isPoison('A', Buffer.from(FRAME))).toBe(true);
});

it('every frame is poison with one attempt', () => {
  expect(new PoisonFrames(1).isPoison('A', FRAME)).toBe(true);
});

it('forgets the oldest of more than ten thousand frames', () => {
  const poison = new PoisonFrames(2);
  const frameOf = (index: number): Buffer => Buffer.from(index.toString(16).padStart(8, '0'), 'hex');
  for (let index = 0; index <= 10_000; index += 1) poison.isPoison('A', frameOf(index));
  expect(poison.isPoison('A', frameOf(10_000))).toBe(true);
  expect(poison.isPoison('A', frameOf(0))).toBe(false);
});
