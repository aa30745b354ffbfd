/**
 * A vehicle with a tracker in it, and the AVL record that the tracker makes at an instant: position, speed and I/O
 * elements that agree with each other. Everything is a function of the vehicle and the time, so that a record made
 * again is the same to the bit.
 */
import type { AvlIoElement, AvlRecord } from '../protocols/teltonika/encode.ts';
import { IO_ELEMENTS } from '../protocols/teltonika/io-elements.ts';
import { drift, mix, Random } from './random.ts';
import type { Motion, Tour } from './tour.ts';
import { motionAt, planTour } from './tour.ts';

export interface Vehicle {
  readonly imei: string;
  readonly seed: number;
  readonly tour: Tour;
  /** Seconds into its tour at the epoch of the simulation, so that vehicles on one road are not in step. */
  readonly headStartSeconds: number;
  /** Odometer at the epoch, metres. */
  readonly odometerBase: number;
  /** A 24 V lorry, or a 12 V van. */
  readonly lorry: boolean;
  /** Serial number of the driver's iButton. */
  readonly driver: bigint;
}

/** Vehicles have been under way since then: 2026-01-01, so that odometers stay plausible. */
const EPOCH_MS = Date.UTC(2026, 0, 1);

const COUNTER_SPAN = 2 ** 32;
const HIGH_PRIORITY = 1;
/** Codec 16: 'on change' and 'periodical'. */
const GENERATED_ON_CHANGE = 5;
const GENERATED_PERIODICALLY = 7;

/**
 * The vehicle of one IMEI: its home, tour, kind and driver follow from the digits. So two runs that share an IMEI see
 * the same vehicle, and a record of the second that meets one of the first is equal to it.
 */
export function createVehicle(imei: string): Vehicle {
  const seed = mix(Number(imei.slice(0, 7)), Number(imei.slice(7)));
  const random = new Random(seed);
  const tour = planTour(random);
  return {
    imei,
    seed,
    tour,
    headStartSeconds: random.between(0, tour.seconds),
    odometerBase: random.integer(20_000, 250_000) * 1_000,
    lorry: random.next() < 0.3,
    // Family code 01 is the one of iButton keys.
    driver: (BigInt(mix(seed, 21)) << 32n) | (BigInt(mix(seed, 22) & 0xffffff) << 8n) | 0x01n,
  };
}

/** What the vehicle does at `ts` (epoch milliseconds). */
export function vehicleMotion(vehicle: Vehicle, ts: number): Motion {
  return motionAt(vehicle.tour, (ts - EPOCH_MS) / 1_000 + vehicle.headStartSeconds);
}

/**
 * The record of `ts` (epoch milliseconds).
 * @param eventId 0 for a periodic record, otherwise the id of the I/O element whose change made it
 */
export function vehicleRecord(vehicle: Vehicle, ts: number, eventId: number): AvlRecord {
  const motion = vehicleMotion(vehicle, ts);
  const speed = Math.round(motion.speedKph);
  return {
    ts,
    priority: eventId === 0 ? 0 : HIGH_PRIORITY,
    longitude: Math.round(motion.longitude * 1e7) / 1e7,
    latitude: Math.round(motion.latitude * 1e7) / 1e7,
    altitude: Math.round(motion.altitude),
    angle: Math.round(motion.course) % 360,
    satellites: Math.round(8 + 9 * drift(vehicle.seed + 1, ts, 90_000)),
    speed,
    eventId,
    io: ioElements(vehicle, motion, ts, speed),
    generationType: eventId === 0 ? GENERATED_PERIODICALLY : GENERATED_ON_CHANGE,
  };
}

function ioElements(vehicle: Vehicle, motion: Motion, ts: number, speed: number): AvlIoElement[] {
  const sky = drift(vehicle.seed + 2, ts, 120_000);
  return [
    ignition(Number(motion.ignition)),
    moving(Number(motion.moving)),
    rssi(Math.round(1 + 4 * drift(vehicle.seed + 3, ts, 240_000))),
    gnssStatus(1),
    sleepMode(0),
    batteryLevel(motion.ignition ? 100 : 97),
    power(supplyVolts(vehicle, motion, ts)),
    battery(motion.ignition ? 4.12 : 4.05),
    hdop(0.6 + 0.9 * sky),
    pdop(1 + 1.3 * sky),
    gnssSpeed(speed),
    odometer(wrapped(vehicle.odometerBase + Math.floor(motion.odometer))),
    tripOdometer(Math.floor(motion.trip)),
    operator(26_202),
    [driverElement.id, 8, motion.ignition ? vehicle.driver : 0],
  ];
}

/** The counter of the tracker has 4 bytes; before the epoch it runs backwards through zero. */
function wrapped(metres: number): number {
  return ((metres % COUNTER_SPAN) + COUNTER_SPAN) % COUNTER_SPAN;
}

/** The alternator holds the supply up while the engine runs. */
function supplyVolts(vehicle: Vehicle, motion: Motion, ts: number): number {
  const volts = motion.ignition ? 13.9 + 0.5 * drift(vehicle.seed + 4, ts, 60_000) : 12.5;
  return vehicle.lorry ? 2 * volts : volts;
}

type Encoder = (value: number) => AvlIoElement;

/** The element that becomes the attribute `name`: takes the attribute's value and gives the integer on the wire. */
function element(name: string): Encoder {
  const { id, bytes, scale } = definition(name);
  if (bytes === 'variable') throw new RangeError(`${name} has no fixed width`);
  // 1 / 0.001 is 1000 exactly, whereas dividing by 0.001 would leave 4119.999….
  const perUnit = Math.round(1 / scale);
  return (value) => [id, bytes, Math.round(value * perUnit)];
}

function definition(name: string): (typeof IO_ELEMENTS)[number] {
  const found = IO_ELEMENTS.find((candidate) => candidate.name === name);
  if (found === undefined) throw new RangeError(`no I/O element is called ${name}`);
  return found;
}

const ignition = element('ignition');
const moving = element('motion');
const rssi = element('rssi');
const gnssStatus = element('gnssStatus');
const sleepMode = element('sleepMode');
const batteryLevel = element('batteryLevel');
const power = element('power');
const battery = element('battery');
const hdop = element('hdop');
const pdop = element('pdop');
const gnssSpeed = element('gnssSpeed');
const odometer = element('odometer');
const tripOdometer = element('tripOdometer');
const operator = element('operator');
const driverElement = definition('driverUniqueId');

/** Event id of the record that a change of the ignition makes. */
export const IGNITION_EVENT_ID: number = definition('ignition').id;
