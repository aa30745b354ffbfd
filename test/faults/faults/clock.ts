/** Wall clocks that jump, as after a wrong time server or a paused virtual machine. */
import type { Random } from '../../../src/simulator/random.ts';
import type { Fault } from '../fault.ts';
import type { World } from '../world/world.ts';

const HOUR_MS = 3_600_000;

/** To one hour ahead, or behind, and back: first of one process, then of the other. */
async function jump(world: World, random: Random): Promise<void> {
  for (const name of ['ingest', 'core'] as const) {
    await world.setClock(name, random.pick([HOUR_MS, -HOUR_MS]));
    await world.hold(1_000, 3_000);
  }
  for (const name of ['ingest', 'core'] as const) await world.setClock(name, 0);
}

export const clockFaults: readonly Fault[] = [
  {
    name: 'clock jumps by an hour', what: 'of ingest, then of core, ahead or behind, and back',
    times: { short: 3, long: 10 }, impairs: [], inject: jump,
  },
];
