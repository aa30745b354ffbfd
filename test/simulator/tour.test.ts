import { describe, expect, it } from 'vitest';
import { courseDegrees, distanceMetres } from '../../src/simulator/geodesy.ts';
import { Random } from '../../src/simulator/random.ts';
import { motionAt, planTour } from '../../src/simulator/tour.ts';

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed);

describe('planTour', () => {
  it('plans the same tour for the same seed', () => {
    const one = planTour(new Random(5));
    const other = planTour(new Random(5));
    expect(motionAt(one, 12_345)).toEqual(motionAt(other, 12_345));
    expect(one.seconds).toBe(other.seconds);
    expect(planTour(new Random(6)).seconds).not.toBe(one.seconds);
  });

  it('ends where it began, after one to twelve hours', () => {
    for (const seed of SEEDS) {
      const tour = planTour(new Random(seed));
      expect(distanceMetres(motionAt(tour, 0), motionAt(tour, tour.seconds - 0.001))).toBeLessThan(1);
      expect(tour.seconds).toBeGreaterThan(3_600);
      expect(tour.seconds).toBeLessThan(12 * 3_600);
    }
  });
});

describe('motionAt', () => {
  it('moves from second to second as far as the speed says', () => {
    for (const seed of SEEDS) {
      const tour = planTour(new Random(seed));
      for (let second = 0; second < 3_000; second += 1) {
        const before = motionAt(tour, second);
        const after = motionAt(tour, second + 1);
        const expected = (before.speedKph + after.speedKph) / 2 / 3.6;
        expect(Math.abs(distanceMetres(before, after) - expected)).toBeLessThan(1);
        expect(Math.abs(after.speedKph - before.speedKph)).toBeLessThan(6);
      }
    }
  });

  it('heads where it moves', () => {
    const tour = planTour(new Random(1));
    for (let second = 0; second < tour.seconds; second += 7) {
      const before = motionAt(tour, second);
      const after = motionAt(tour, second + 1);
      if (distanceMetres(before, after) < 2) continue;
      const turn = ((courseDegrees(before, after) - before.course + 540) % 360) - 180;
      expect(Math.abs(turn)).toBeLessThan(10);
    }
  });

  it('counts on the odometer what it drives, over the end of the tour as well', () => {
    const tour = planTour(new Random(2));
    let driven = 0;
    for (let second = 0; second < tour.seconds + 600; second += 1) {
      driven += distanceMetres(motionAt(tour, second), motionAt(tour, second + 1));
    }
    const counted = motionAt(tour, tour.seconds + 600).odometer - motionAt(tour, 0).odometer;
    expect(driven / counted).toBeGreaterThan(0.995);
    expect(driven / counted).toBeLessThan(1.005);
  });

  it('stands still with the engine on at a red light, and off during a delivery', () => {
    const tour = planTour(new Random(3));
    const seen = { moving: 0, waiting: 0, parked: 0 };
    for (let second = 0; second < tour.seconds; second += 1) {
      const motion = motionAt(tour, second);
      if (motion.moving) seen.moving += 1;
      else if (motion.ignition) seen.waiting += 1;
      else seen.parked += 1;
      if (!motion.moving) expect(motion.speedKph).toBe(0);
      if (motion.moving) expect(motion.ignition).toBe(true);
    }
    expect(seen.moving).toBeGreaterThan(tour.seconds / 2);
    expect(seen.waiting).toBeGreaterThan(0);
    expect(seen.parked).toBeGreaterThan(0);
  });
});
