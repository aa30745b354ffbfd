import { expect, test } from 'vitest';
import { Obstacle } from '../../src/shared/obstacle.ts';

test('an obstacle is worth saying once, another one again', () => {
  const obstacle = new Obstacle();
  expect(['unreachable', 'unreachable', 'login refused', 'unreachable'].map((one) => obstacle.met(one))).toEqual([true, false, true, true]);
});

test('its end is worth saying once, where there was one, and the next obstacle is a new one', () => {
  const obstacle = new Obstacle();
  expect(obstacle.passed()).toBe(false);
  obstacle.met('unreachable');
  expect([obstacle.passed(), obstacle.passed()]).toEqual([true, false]);
  expect(obstacle.met('unreachable')).toBe(true);
});
