/** Connections of trackers that end in the middle of something. */
import type { Fault } from '../fault.ts';
import type { World } from '../world/world.ts';
import { CuttingProxy } from '../world/cutting-proxy.ts';

/** More than a login and a frame of ten records. */
const LONGEST_UP = 640;
/** The answers to a login and to some frames. */
const LONGEST_DOWN = 16;

const CUTS = [
  ...Array.from({ length: LONGEST_UP }, (_, index) => ({ direction: 'up', bytes: index + 1 }) as const),
  ...Array.from({ length: LONGEST_DOWN }, (_, index) => ({ direction: 'down', bytes: index + 1 }) as const),
];

const proxies = new WeakMap<World, CuttingProxy>();

async function route(world: World): Promise<number> {
  const proxy = await CuttingProxy.start(world.trackerPort);
  proxies.set(world, proxy);
  return proxy.port;
}

export const networkFaults: readonly Fault[] = [
  {
    name: 'connections cut at every byte',
    what: `of a login, a frame of ten records and their answers: ${CUTS.length} cuts, resets and orderly ends in turn`,
    times: { short: 1, long: 3 },
    impairs: [],
    route,
    inject: async (world) => { await proxies.get(world)?.cut(CUTS); },
    cleanUp: (world) => { proxies.get(world)?.stop(); },
  },
];
