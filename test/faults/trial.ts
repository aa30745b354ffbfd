/** One fault from its world to its row in the table. */
import { Random, mix } from '../../src/simulator/random.ts';
import { DEAD_LETTER_STREAM } from '../../src/shared/contracts/dead-letter-stream.ts';
import { groupsOf } from '../../src/shared/contracts/stream-info.ts';
import { errorMessage } from '../../src/shared/errors.ts';
import { eventually } from '../support/eventually.ts';
import type { Evidence } from './checks/check.ts';
import { counters } from './checks/counters.ts';
import { leftovers } from './checks/leftovers.ts';
import { log } from './checks/log.ts';
import { memory } from './checks/memory.ts';
import { readiness } from './checks/readiness.ts';
import { records } from './checks/records.ts';
import type { Fault } from './fault.ts';
import type { Load } from './world/world.ts';
import { World } from './world/world.ts';

const CHECKS = [records, counters, readiness, log, memory];
const DRAIN_TIMEOUT_MS = 60_000;

export interface Trial {
  readonly fault: Fault;
  readonly injected: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly deadLettered: number;
  /** From the end of each fault until everything was caught up with, milliseconds. */
  readonly recoveriesMs: readonly number[];
  readonly peakBytes: number;
  readonly seconds: number;
  /** Empty: all is well. */
  readonly problems: readonly string[];
}

export interface TrialOptions {
  readonly folder: string;
  readonly seed: number;
  readonly long: boolean;
  readonly load: Load;
}

/** The same name and seed give the same instants and choices. */
function randomOf({ name }: Fault, seed: number): Random {
  return new Random(Buffer.from(name).reduce(mix, seed));
}

/** Resolves when the processor has nothing left to do. */
async function drained(world: World): Promise<void> {
  await eventually(async () => {
    for (const stream of await world.redisClient.keys('telemetry:{*}')) {
      for (const { name, pending, lag } of await groupsOf(world.redisClient, stream)) {
        if (name === 'processor' && (pending > 0 || lag !== 0)) throw new Error(`${stream}: ${pending} pending, lag ${lag ?? 'unknown'}`);
      }
    }
  }, { timeoutMs: DRAIN_TIMEOUT_MS });
}

async function injectAll(fault: Fault, world: World, random: Random, times: number): Promise<number[]> {
  const recoveries: number[] = [];
  for (let injection = 0; injection < times; injection += 1) {
    await world.hold(300, 1_500);
    await fault.inject(world, random);
    const mendedAt = performance.now();
    await world.recovered();
    recoveries.push(performance.now() - mendedAt);
  }
  return recoveries;
}

async function gather(fault: Fault, world: World, injected: number): Promise<Evidence> {
  const deadLettered = await world.redisClient.xlen(DEAD_LETTER_STREAM);
  await fault.repair?.(world);
  if (world.fleet === null) throw new Error('there is no fleet');
  const fleet = await world.fleet.finish();
  await drained(world);
  const metrics = new Map(await Promise.all(
    [...world.programs.values()].map(async (program) => [program, await program.metrics()] as const),
  ));
  await world.watch.stop();
  return { fault, world, injected, deadLettered, fleet, metrics };
}

async function judge(evidence: Evidence): Promise<string[]> {
  const problems: string[] = [];
  for (const check of CHECKS) problems.push(...(await check(evidence)));
  return [...problems, ...(await leftovers(evidence.world))];
}

function failure(fault: Fault, error: unknown, startedAt: number): Trial {
  const counts = { injected: 0, acknowledged: 0, lost: 0, duplicated: 0, deadLettered: 0 };
  const seconds = (performance.now() - startedAt) / 1_000;
  return { fault, ...counts, recoveriesMs: [], peakBytes: 0, seconds, problems: [errorMessage(error)] };
}

/** Never throws: whatever goes wrong is a problem of the trial. */
export async function tryFault(fault: Fault, options: TrialOptions): Promise<Trial> {
  const startedAt = performance.now();
  const random = randomOf(fault, options.seed);
  const times = options.long ? fault.times.long : fault.times.short;
  let world: World | null = null;
  try {
    world = await World.create(options.folder, fault, random);
    world.startFleet(options.load, await fault.route?.(world));
    await world.recovered();
    const recoveriesMs = await injectAll(fault, world, random, times);
    const evidence = await gather(fault, world, times);
    const problems = await judge(evidence);
    const { records: counted, verification } = evidence.fleet.report ?? {};
    return {
      fault, injected: times, recoveriesMs, problems,
      acknowledged: (counted?.acknowledged ?? 0) + world.othersAccepted,
      lost: verification?.lost ?? 0,
      duplicated: verification?.duplicated ?? 0,
      deadLettered: evidence.deadLettered,
      peakBytes: Math.max(...world.watch.peakBytes.values()),
      seconds: (performance.now() - startedAt) / 1_000,
    };
  } catch (error) {
    return failure(fault, error, startedAt);
  } finally {
    await world?.destroy();
    if (world !== null) fault.cleanUp?.(world);
  }
}
