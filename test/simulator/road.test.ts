import { describe, expect, it } from 'vitest';
import { courseDegrees, distanceMetres } from '../../src/simulator/geodesy.ts';
import type { Road } from '../../src/simulator/road.ts';
import { buildRoad, positionOnRoad } from '../../src/simulator/road.ts';
import { ROADS, TOWNS } from '../../src/simulator/towns.ts';
import { WATERS } from './waters.ts';

const ways: readonly Road[] = ROADS.flatMap(([from, to], number) => [...buildRoad(TOWNS[from]!, TOWNS[to]!, number)]);

function knots(road: Road): { latitude: number; longitude: number }[] {
  return Array.from(road.latitudes, (latitude, index) => ({ latitude, longitude: road.longitudes[index]! }));
}

describe('the map', () => {
  it('has towns of different names and roads between two of them, none twice', () => {
    expect(new Set(TOWNS.map(({ name }) => name)).size).toBe(TOWNS.length);
    const pairs = ROADS.map(([from, to]) => [Math.min(from, to), Math.max(from, to)].join('-'));
    expect(new Set(pairs).size).toBe(ROADS.length);
    expect(ROADS.every(([from, to]) => from >= 0 && to >= 0 && from !== to)).toBe(true);
  });

  it('leads from every town to every other', () => {
    const reached = new Set([0]);
    for (let before = 0; before < reached.size;) {
      before = reached.size;
      for (const [from, to] of ROADS) {
        if (reached.has(from)) reached.add(to);
        if (reached.has(to)) reached.add(from);
      }
    }
    expect(reached.size).toBe(TOWNS.length);
  });

  it('has roads of 8 to 50 km that bend gently', () => {
    for (const road of ways) {
      const points = knots(road);
      const straight = distanceMetres(points[0]!, points.at(-1)!);
      expect(straight).toBeGreaterThan(8_000);
      expect(straight).toBeLessThan(50_000);
      expect(road.lengthMetres / straight).toBeLessThan(1.05);
    }
  });

  it('is all land: inside the region, and clear of its lakes and reservoirs', () => {
    for (const point of ways.flatMap(knots)) {
      expect(point.latitude).toBeGreaterThan(49.2);
      expect(point.latitude).toBeLessThan(51.6);
      expect(point.longitude).toBeGreaterThan(8.6);
      expect(point.longitude).toBeLessThan(13);
      const hit = WATERS.find((water) => distanceMetres(water, point) < water.radius);
      expect(hit?.name).toBeUndefined();
    }
  });
});

describe('buildRoad', () => {
  it('gives the same road for the same number', () => {
    expect(buildRoad(TOWNS[0]!, TOWNS[1]!, 3)).toEqual(buildRoad(TOWNS[0]!, TOWNS[1]!, 3));
  });

  it('leads from town to town, and back along the same line', () => {
    const [there, back] = buildRoad(TOWNS[0]!, TOWNS[1]!, 3);
    expect(distanceMetres(knots(there)[0]!, TOWNS[0]!)).toBeLessThan(1);
    expect(distanceMetres(knots(there).at(-1)!, TOWNS[1]!)).toBeLessThan(1);
    expect(knots(back)).toEqual(knots(there).toReversed());
  });

  it('starts and ends at a standstill, and neither engine nor brakes do wonders', () => {
    for (const { speeds, times } of ways) {
      expect(speeds[0]).toBe(0);
      expect(speeds.at(-1)).toBe(0);
      for (let index = 1; index < speeds.length; index += 1) {
        const acceleration = (speeds[index]! - speeds[index - 1]!) / (times[index]! - times[index - 1]!);
        expect(acceleration).toBeLessThan(1.001);
        expect(acceleration).toBeGreaterThan(-1.301);
        expect(speeds[index]).toBeLessThan(111 / 3.6);
      }
    }
  });
});

describe('positionOnRoad', () => {
  it('moves as far as the speed says, in the direction that the course says', () => {
    const [road] = buildRoad(TOWNS[0]!, TOWNS[1]!, 3);
    for (let seconds = 0; seconds < road.seconds - 1; seconds += 1) {
      const before = positionOnRoad(road, seconds);
      const after = positionOnRoad(road, seconds + 1);
      const moved = distanceMetres(before, after);
      expect(Math.abs(moved - (before.speed + after.speed) / 2)).toBeLessThan(1);
      const turn = ((courseDegrees(before, after) - before.course + 540) % 360) - 180;
      if (moved > 1) expect(Math.abs(turn)).toBeLessThan(10);
    }
  });

  it('is in the town at the end', () => {
    const [road] = buildRoad(TOWNS[0]!, TOWNS[1]!, 3);
    const end = positionOnRoad(road, road.seconds);
    expect(distanceMetres(end, TOWNS[1]!)).toBeLessThan(1);
    expect(end.speed).toBeCloseTo(0, 6);
    expect(end.distance).toBeCloseTo(road.lengthMetres, 3);
  });
});
