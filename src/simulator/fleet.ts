/**
 * The fleet: when each tracker connects, makes its records and looks after its time-outs. One timer drives all of
 * them: records fall due in a fixed rotation, a tracker after the other, so that finding the next one costs nothing
 * however many there are.
 */
import type { Connect } from './connection.ts';
import { FaultPlan } from './faults.ts';
import { fleetImeis } from './imei.ts';
import type { Options } from './options.ts';
import { mix, Random } from './random.ts';
import { maxRecordsPerFrame } from './recorder.ts';
import type { Statistics } from './statistics.ts';
import type { TrackerSettings } from './tracker.ts';
import { Tracker } from './tracker.ts';
import type { Vehicle } from './vehicle.ts';
import { createVehicle } from './vehicle.ts';

const TICK_MS = 10;
/** Time-outs of all trackers are looked at once in so many ticks. */
const TICKS_PER_SCAN = 10;

/** The vehicles of a run: the same for the same seed. A vehicle follows from its IMEI alone, whichever run it is in. */
export function createVehicles(options: Pick<Options, 'seed' | 'devices' | 'imeiPrefix'>): Vehicle[] {
  return fleetImeis(options.seed, options.devices, options.imeiPrefix)
    .map((imei) => createVehicle(imei));
}

/** Records that a frame really takes: `--records-per-frame`, or what fits. */
export function effectiveRecordsPerFrame(
  options: Pick<Options, 'recordsPerFrame' | 'codec'>, vehicle: Vehicle,
): number {
  return Math.min(options.recordsPerFrame, maxRecordsPerFrame(vehicle, options.codec));
}

export class Fleet {
  readonly trackers: readonly Tracker[];
  readonly #options: Options;
  readonly #clock: () => number;
  #timer: NodeJS.Timeout | undefined;
  /** Clock and epoch milliseconds of the start. */
  #startedAt = 0;
  #epochAtStart = 0;
  #switchedOn = 0;
  #turns = 0;
  #scanned = 0;
  #recording = false;

  constructor(options: Options, statistics: Statistics, connect: Connect, clock: () => number) {
    this.#options = options;
    this.#clock = clock;
    const vehicles = createVehicles(options);
    const settings = trackerSettings(options, vehicles);
    this.trackers = vehicles.map((vehicle) => new Tracker({
      vehicle, settings, connect, statistics, clock,
      faults: new FaultPlan(mix(vehicle.seed, mix(options.seed, 11)), options.faults, options.faultRate),
      random: new Random(mix(vehicle.seed, mix(options.seed, 12))),
    }));
  }

  start(): void {
    this.#startedAt = this.#clock();
    this.#epochAtStart = Date.now();
    this.#recording = true;
    this.#timer = setInterval(() => { this.#tick(); }, TICK_MS);
  }

  /** Makes no more records, and sends those that there are. */
  drain(): void {
    this.#recording = false;
    for (const tracker of this.trackers) tracker.drain();
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const tracker of this.trackers) tracker.stop();
  }

  #tick(): void {
    const now = this.#clock();
    if (this.#recording) {
      this.#switchOn(now);
      this.#makeRecords(now);
    }
    this.#scan(now);
  }

  /** Connects spread over the ramp, so that a server does not meet thousands of them in one instant. */
  #switchOn(now: number): void {
    const { rampMs, backlog, intervalMs, burst } = this.#options;
    while (now >= this.#startedAt + (rampMs * this.#switchedOn) / this.trackers.length) {
      const tracker = this.trackers[this.#switchedOn];
      if (tracker === undefined) return;
      this.#switchedOn += 1;
      const newest = this.#epochOf(now) - intervalMs;
      const spacingMs = intervalMs / burst;
      tracker.switchOn(Array.from({ length: backlog }, (_, index) => newest - (backlog - 1 - index) * spacingMs));
    }
  }

  /** The records of turn t are due a share of the interval after those of turn t − 1, another tracker's. */
  #makeRecords(now: number): void {
    const { intervalMs, burst } = this.#options;
    const turnMs = intervalMs / this.trackers.length;
    for (;;) {
      const due = this.#startedAt + this.#turns * turnMs;
      if (due > now) return;
      const tracker = this.trackers[this.#turns % this.trackers.length];
      this.#turns += 1;
      if (tracker?.isOn !== true) continue;
      for (let left = burst - 1; left >= 0; left -= 1) {
        tracker.record(this.#epochOf(due - (left * intervalMs) / burst));
      }
    }
  }

  #scan(now: number): void {
    const count = Math.ceil(this.trackers.length / TICKS_PER_SCAN);
    for (let left = count; left > 0; left -= 1) {
      this.trackers[this.#scanned]?.tick(now);
      this.#scanned = (this.#scanned + 1) % this.trackers.length;
    }
  }

  #epochOf(time: number): number {
    return this.#epochAtStart + (time - this.#startedAt);
  }
}

function trackerSettings(options: Options, vehicles: readonly Vehicle[]): TrackerSettings {
  const [vehicle] = vehicles;
  return {
    codec: options.codec,
    recordsPerFrame: vehicle === undefined ? 1 : effectiveRecordsPerFrame(options, vehicle),
    order: options.order,
    answerTimeoutMs: options.answerTimeoutMs,
    reconnectMs: options.reconnectMs,
    keepAcknowledged: options.verify,
  };
}
