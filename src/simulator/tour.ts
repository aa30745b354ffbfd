/**
 * A vehicle's day, repeated for ever: from its home town along neighbouring towns and back again, with a stop in each.
 * Where the vehicle is follows from the time alone. So the same seed gives the same journey, a record can be made again
 * instead of being kept, and records dated back lie where the vehicle then was.
 */
import type { Random } from './random.ts';
import type { Road } from './road.ts';
import { buildRoad, positionOnRoad } from './road.ts';
import { ROADS, TOWNS } from './towns.ts';

interface Way {
  readonly to: number;
  readonly there: Road;
  readonly back: Road;
}

/** Driving along a road, or standing at the end of the one before. */
interface Phase {
  readonly road: Road;
  readonly driving: boolean;
  /** Seconds and metres from the start of the tour. */
  readonly startSeconds: number;
  readonly startMetres: number;
  readonly seconds: number;
}

export interface Tour {
  readonly phases: readonly Phase[];
  readonly seconds: number;
  readonly metres: number;
  /** 1 drives exactly as the roads say. */
  readonly pace: number;
}

/** What a vehicle does at an instant. */
export interface Motion {
  readonly latitude: number;
  readonly longitude: number;
  /** Metres. */
  readonly altitude: number;
  /** Degrees clockwise from north; while standing, that of arrival. */
  readonly course: number;
  readonly speedKph: number;
  readonly ignition: boolean;
  readonly moving: boolean;
  /** Metres since the tour was first begun. */
  readonly odometer: number;
  /** Metres since the last stop. */
  readonly trip: number;
}

const ENGINE_OFF_AFTER_SECONDS = 30;
const ENGINE_ON_BEFORE_SECONDS = 20;
const SHORTEST_PARKING_SECONDS = 120;

let waysByTown: readonly (readonly Way[])[] | undefined;

function wayNetwork(): readonly (readonly Way[])[] {
  if (waysByTown !== undefined) return waysByTown;
  const ways: Way[][] = TOWNS.map(() => []);
  ROADS.forEach(([from, to], number) => {
    const start = TOWNS[from];
    const end = TOWNS[to];
    if (start === undefined || end === undefined) throw new RangeError(`road ${number} leads nowhere`);
    const [there, back] = buildRoad(start, end, number);
    ways[from]?.push({ to, there, back });
    ways[to]?.push({ to: from, there: back, back: there });
  });
  waysByTown = ways;
  return ways;
}

/** A tour out over two to seven roads, not turning round where another road leads on, and back over the same. */
export function planTour(random: Random): Tour {
  const network = wayNetwork();
  const out: Way[] = [];
  let town = random.integer(0, network.length - 1);
  for (let left = random.integer(2, 7); left > 0; left -= 1) {
    const last = out.at(-1);
    const ways = network[town] ?? [];
    const onward = ways.filter((way) => way.there !== last?.back);
    const way = random.pick(onward.length > 0 ? onward : ways);
    out.push(way);
    town = way.to;
  }
  const roads = [...out.map(({ there }) => there), ...out.toReversed().map(({ back }) => back)];
  return schedule(roads, random);
}

function schedule(roads: readonly Road[], random: Random): Tour {
  const pace = random.between(0.75, 1.05);
  const phases: Phase[] = [];
  let startSeconds = 0;
  let startMetres = 0;
  for (const road of roads) {
    phases.push({ road, driving: true, startSeconds, startMetres, seconds: road.seconds / pace });
    startSeconds += road.seconds / pace;
    startMetres += road.lengthMetres;
    // A red light, or a delivery.
    const seconds = random.next() < 0.35 ? random.between(15, 60) : random.between(SHORTEST_PARKING_SECONDS, 720);
    phases.push({ road, driving: false, startSeconds, startMetres, seconds });
    startSeconds += seconds;
  }
  return { phases, seconds: startSeconds, metres: startMetres, pace };
}

/** What the vehicle does `seconds` after it first began its tour; it goes round again and again. */
export function motionAt(tour: Tour, seconds: number): Motion {
  const laps = Math.floor(seconds / tour.seconds);
  const intoTour = seconds - laps * tour.seconds;
  const phase = phaseAt(tour.phases, intoTour);
  const intoPhase = intoTour - phase.startSeconds;
  const before = laps * tour.metres;
  return phase.driving ? driving(phase, intoPhase, tour.pace, before) : standing(phase, intoPhase, before);
}

function driving(phase: Phase, seconds: number, pace: number, metresBefore: number): Motion {
  const position = positionOnRoad(phase.road, Math.min(seconds * pace, phase.road.seconds));
  return {
    ...where(position),
    speedKph: position.speed * pace * 3.6,
    ignition: true,
    moving: true,
    odometer: metresBefore + phase.startMetres + position.distance,
    trip: position.distance,
  };
}

function standing(phase: Phase, seconds: number, metresBefore: number): Motion {
  const parked = phase.seconds >= SHORTEST_PARKING_SECONDS
    && seconds >= ENGINE_OFF_AFTER_SECONDS
    && seconds < phase.seconds - ENGINE_ON_BEFORE_SECONDS;
  return {
    ...where(positionOnRoad(phase.road, phase.road.seconds)),
    speedKph: 0,
    ignition: !parked,
    moving: false,
    odometer: metresBefore + phase.startMetres,
    trip: phase.road.lengthMetres,
  };
}

type Where = Pick<Motion, 'latitude' | 'longitude' | 'altitude' | 'course'>;

function where({ latitude, longitude, altitude, course }: Where): Where {
  return { latitude, longitude, altitude, course };
}

function phaseAt(phases: readonly Phase[], seconds: number): Phase {
  let low = 0;
  let high = phases.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((phases[middle]?.startSeconds ?? 0) <= seconds) low = middle;
    else high = middle - 1;
  }
  const phase = phases[low];
  if (phase === undefined) throw new RangeError('a tour has at least one phase');
  return phase;
}
