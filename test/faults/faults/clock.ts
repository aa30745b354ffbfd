/** Wall clocks that jump, as after a wrong time server or a paused virtual machine. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Random } from '../../../src/simulator/random.ts';
import type { Fault } from '../fault.ts';
import type { World } from '../world/world.ts';

const run = promisify(execFile);
const DEAD_LETTERS = fileURLToPath(new URL('../../../src/dead-letters/main.ts', import.meta.url));

const HOUR_MS = 3_600_000;
/** Beyond MAX_FUTURE_MS, so that every record seems to come from the future. */
const DAYS_MS = 3 * 24 * HOUR_MS;

/** To one hour ahead, or behind, and back: first of one process, then of the other. */
async function jump(world: World, random: Random): Promise<void> {
  for (const name of ['ingest', 'core'] as const) {
    await world.setClock(name, random.pick([HOUR_MS, -HOUR_MS]));
    await world.hold(1_000, 3_000);
  }
  for (const name of ['ingest', 'core'] as const) await world.setClock(name, 0);
}

/** What is taken in meanwhile becomes dead letters, and is acknowledged. */
async function setBack(world: World): Promise<void> {
  await world.setClock('ingest', -DAYS_MS);
  await world.hold(1_000, 3_000);
  await world.setClock('ingest', 0);
}

/** As an operator does, while the fleet goes on sending. */
async function replay(world: World): Promise<void> {
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, REDIS_URL: world.redis.url };
  await run(process.execPath, [DEAD_LETTERS, 'replay', '--reason', 'clock_ahead'], { env });
}

export const clockFaults: readonly Fault[] = [
  {
    name: 'clock jumps by an hour', what: 'of ingest, then of core, ahead or behind, and back',
    times: { short: 3, long: 5 }, impairs: [], inject: jump,
  },
  {
    name: 'clock set back by days', what: 'of ingest, so that records become dead letters; `npm run dlq -- replay` in the end',
    times: { short: 2, long: 4 }, impairs: [], repeats: true, inject: setBack, repair: replay,
  },
];
