/** What ends or freezes a server of a world, whichever it is, and has it there again. */
import type { Fault } from '../fault.ts';
import type { World } from '../world/world.ts';

type ServerName = 'redis' | 'postgres';
type Injection = Fault['inject'];

function comesBack(name: ServerName, end: (world: World) => Promise<void>): Injection {
  return (world) => world.outage(async () => {
    await end(world);
    await world.hold(0, 3_000);
    world[name] = await world[name].again();
  });
}

/** SIGKILL, and started again on the same data. */
export function kill(name: ServerName): Injection {
  return comesBack(name, (world) => world[name].kill());
}

/** Stopped in its orderly way, and started again. */
export function restart(name: ServerName): Injection {
  return comesBack(name, (world) => world[name].stop());
}

/** SIGSTOP for 20 seconds. */
export function freeze(name: ServerName): Injection {
  return (world) => world.outage(async () => {
    await world[name].freeze();
    await world.hold(20_000, 20_000);
    await world[name].thaw();
  });
}
