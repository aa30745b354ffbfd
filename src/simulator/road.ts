/**
 * A road between two towns, driven one way: its line, and how fast a vehicle goes at every point of it. Built once
 * and shared by the whole fleet, so that a vehicle needs no geometry of its own.
 */
import type { Point } from './geodesy.ts';
import { beside, courseDegrees, distanceMetres } from './geodesy.ts';
import { mix, Random } from './random.ts';
import type { Town } from './towns.ts';

/** One way along a road, as knots about 100 m apart. All arrays have the same length. */
export interface Road {
  readonly latitudes: Float64Array;
  readonly longitudes: Float64Array;
  readonly altitudes: Float64Array;
  /** Degrees clockwise from north. */
  readonly courses: Float64Array;
  /** Metres from the start. */
  readonly distances: Float64Array;
  /** Metres per second at each knot, 0 at both ends; the acceleration between two knots is constant. */
  readonly speeds: Float64Array;
  /** Seconds from the start, for a vehicle that drives exactly `speeds`. */
  readonly times: Float64Array;
  readonly lengthMetres: number;
  readonly seconds: number;
}

const KNOT_SPACING_METRES = 100;
const ACCELERATION = 1.0;
const BRAKING = 1.3;
const TOWN_METRES = 1_500;
const VILLAGE_METRES = 400;
const KPH = 1 / 3.6;
const TOWN_SPEED = 50 * KPH;

/** Both ways of the road between two towns. The same `number` gives the same bends, villages and limits. */
export function buildRoad(from: Town, to: Town, number: number): readonly [Road, Road] {
  const random = new Random(mix(number, 0x0d0));
  const points = layLine(from, to, random);
  const altitudes = layAltitudes(from, to, points.length, random);
  const limits = speedLimits(points, random);
  return [
    drive(points, altitudes, limits),
    drive(points.toReversed(), altitudes.toReversed(), limits.toReversed()),
  ];
}

/** A line with gentle bends: two waves across it that fade out at both towns, so that it starts and ends in them. */
function layLine(from: Town, to: Town, random: Random): Point[] {
  const length = distanceMetres(from, to);
  const count = Math.max(4, Math.ceil(length / KNOT_SPACING_METRES));
  const wide = { metres: Math.min(500, length * 0.02), waves: random.integer(1, 2), phase: random.between(0, 6) };
  const narrow = { metres: 60, waves: Math.max(1, Math.round(length / 4_000)), phase: random.between(0, 6) };
  return Array.from({ length: count + 1 }, (_, index) => {
    const along = index / count;
    const fade = Math.sin(Math.PI * along);
    const right = [wide, narrow].reduce(
      (sum, wave) => sum + wave.metres * fade * Math.sin(2 * Math.PI * wave.waves * along + wave.phase), 0,
    );
    return beside(from, to, along, right);
  });
}

function layAltitudes(from: Town, to: Town, count: number, random: Random): number[] {
  const hills = random.integer(2, 5);
  const height = random.between(10, 45);
  return Array.from({ length: count }, (_, index) => {
    const along = index / (count - 1);
    return from.altitude + (to.altitude - from.altitude) * along
      + height * Math.sin(Math.PI * along) * Math.sin(Math.PI * hills * along) ** 2;
  });
}

/** 50 km/h in towns and in the villages on the way, 90 or 110 km/h between them. */
function speedLimits(points: readonly Point[], random: Random): number[] {
  const length = KNOT_SPACING_METRES * points.length;
  const open = (length > 25_000 ? 110 : 90) * KPH;
  const villages = Array.from({ length: Math.floor(length / 12_000) }, () => random.between(0.15, 0.85) * length);
  return points.map((_, index) => {
    const at = index * KNOT_SPACING_METRES;
    const inTown = at < TOWN_METRES || at > length - TOWN_METRES;
    const inVillage = villages.some((village) => Math.abs(at - village) < VILLAGE_METRES);
    return inTown || inVillage ? TOWN_SPEED : open;
  });
}

function drive(points: readonly Point[], altitudes: readonly number[], limits: readonly number[]): Road {
  const distances = new Float64Array(points.length);
  const courses = new Float64Array(points.length);
  points.forEach((point, index) => {
    const before = points[index - 1] ?? point;
    const after = points[index + 1] ?? point;
    distances[index] = (distances[index - 1] ?? 0) + distanceMetres(before, point);
    courses[index] = courseDegrees(before, after);
  });
  const speeds = speedProfile(distances, limits);
  const times = new Float64Array(points.length);
  for (let index = 1; index < times.length; index += 1) {
    const mean = (at(speeds, index - 1) + at(speeds, index)) / 2;
    times[index] = at(times, index - 1) + (at(distances, index) - at(distances, index - 1)) / mean;
  }
  return {
    latitudes: Float64Array.from(points, ({ latitude }) => latitude),
    longitudes: Float64Array.from(points, ({ longitude }) => longitude),
    altitudes: Float64Array.from(altitudes),
    courses, distances, speeds, times,
    lengthMetres: at(distances, distances.length - 1),
    seconds: at(times, times.length - 1),
  };
}

/** From standstill to standstill, never above the limits nor beyond what engine and brakes can do. */
function speedProfile(distances: Float64Array, limits: readonly number[]): Float64Array {
  const speeds = Float64Array.from(limits);
  speeds[0] = 0;
  speeds[speeds.length - 1] = 0;
  for (let index = 1; index < speeds.length; index += 1) {
    const step = at(distances, index) - at(distances, index - 1);
    speeds[index] = Math.min(at(speeds, index), Math.sqrt(at(speeds, index - 1) ** 2 + 2 * ACCELERATION * step));
  }
  for (let index = speeds.length - 2; index >= 0; index -= 1) {
    const step = at(distances, index + 1) - at(distances, index);
    speeds[index] = Math.min(at(speeds, index), Math.sqrt(at(speeds, index + 1) ** 2 + 2 * BRAKING * step));
  }
  return speeds;
}

/** Where a vehicle is on a road. */
export interface RoadPosition {
  readonly latitude: number;
  readonly longitude: number;
  readonly altitude: number;
  readonly course: number;
  /** Metres per second. */
  readonly speed: number;
  /** Metres from the start. */
  readonly distance: number;
}

/** The position after `seconds` of driving, from 0 to `road.seconds`. */
export function positionOnRoad(road: Road, seconds: number): RoadPosition {
  const knot = knotBefore(road.times, seconds);
  const elapsed = seconds - at(road.times, knot);
  const speedBefore = at(road.speeds, knot);
  const duration = at(road.times, knot + 1) - at(road.times, knot);
  const acceleration = (at(road.speeds, knot + 1) - speedBefore) / duration;
  const travelled = speedBefore * elapsed + (acceleration * elapsed * elapsed) / 2;
  const along = travelled / (at(road.distances, knot + 1) - at(road.distances, knot));
  const turn = ((at(road.courses, knot + 1) - at(road.courses, knot) + 540) % 360) - 180;
  return {
    latitude: blend(road.latitudes, knot, along),
    longitude: blend(road.longitudes, knot, along),
    altitude: blend(road.altitudes, knot, along),
    course: (at(road.courses, knot) + turn * along + 360) % 360,
    speed: speedBefore + acceleration * elapsed,
    distance: at(road.distances, knot) + travelled,
  };
}

/** The last knot but one at most, so that there is always one after it. */
function knotBefore(times: Float64Array, seconds: number): number {
  let low = 0;
  let high = times.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (at(times, middle) <= seconds) low = middle;
    else high = middle - 1;
  }
  return low;
}

function blend(values: Float64Array, knot: number, along: number): number {
  const before = at(values, knot);
  return before + (at(values, knot + 1) - before) * along;
}

// Every index in this file is below the length; a typed array has no holes.
function at(values: Float64Array, index: number): number {
  return values[index] as number;
}
