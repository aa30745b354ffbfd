import { beforeEach, expect, test } from 'vitest';
import { Progress } from '../../src/shared/progress.ts';

let now: number;
let progress: Progress;

beforeEach(() => {
  now = 1_000;
  progress = new Progress(() => now);
});

test('without work nothing stands in the way, however long', () => {
  now += 60_000;
  expect(progress.impediment).toBeNull();
});

test('work that gets nowhere is an impediment after five seconds', () => {
  progress.begin();
  now += 4_999;
  expect(progress.impediment).toBeNull();
  now += 1;
  expect(progress.impediment).toBe('stalled for 5 s: no answer yet');
});

test('the last failure says why', () => {
  progress.begin();
  progress.failed(new Error('first'));
  progress.failed(new Error('the disk is full'));
  now += 6_000;
  expect(progress.impediment).toBe('stalled for 6 s: the disk is full');
});

test('one piece of work that is done is progress for all', () => {
  progress.begin();
  progress.begin();
  progress.failed(new Error('deadlock'));
  now += 4_000;
  progress.end();
  now += 4_000;
  expect(progress.impediment).toBeNull();
  now += 1_000;
  expect(progress.impediment).toBe('stalled for 5 s: no answer yet');
});

test('a step of long work is progress too', () => {
  progress.begin();
  now += 4_000;
  progress.step();
  now += 4_000;
  expect(progress.impediment).toBeNull();
});

test('time without work does not count', () => {
  progress.begin();
  progress.end();
  now += 60_000;
  progress.begin();
  expect(progress.impediment).toBeNull();
});
