/** Programs of Odograph that end, in every way in which they do. */
import type { Fault } from '../fault.ts';
import type { ProgramName, World } from '../world/world.ts';

const times = { short: 3, long: 5 };

/** Ends them at one instant and starts them again some time later. @throws Error where a SIGTERM does not end with 0 */
async function restart(world: World, names: readonly ProgramName[], signal: NodeJS.Signals): Promise<void> {
  const programs = names.map((name) => world.program(name));
  await world.outage(async () => {
    const codes = await Promise.all(programs.map((program) => program.end(signal)));
    if (signal === 'SIGTERM' && codes.some((code) => code !== 0)) throw new Error(`SIGTERM ended with ${codes.join(', ')}`);
    await world.hold(0, 1_500);
    await Promise.all(programs.map((program) => program.start()));
  });
}

function ended(what: string, names: readonly ProgramName[], signal: NodeJS.Signals, more: Partial<Fault> = {}): Fault {
  return {
    name: `${what}: ${signal}`,
    what: `${signal} at a random instant, started again up to 1.5 s later`,
    times,
    impairs: names,
    repeats: true,
    inject: (world) => restart(world, names, signal),
    ...more,
  };
}

/** A core that says nothing until the other one has claimed its entries, and then goes on with them all the same. */
async function freezeCore(world: World): Promise<void> {
  const core = world.program('core-a');
  await world.outage(async () => {
    core.signal('SIGSTOP');
    await world.hold(4_000, 6_000);
    core.signal('SIGCONT');
  });
}

/** As when the machine that all of it runs on goes down, and comes up again. */
async function killEverything(world: World): Promise<void> {
  const odograph = world.program('odograph');
  await world.outage(async () => {
    await Promise.all([odograph.end('SIGKILL'), world.redis.kill(), world.postgres.kill()]);
    await world.hold(0, 1_500);
    [world.redis, world.postgres] = await Promise.all([world.redis.again(), world.postgres.again()]);
    await odograph.start();
  });
}

export const processFaults: readonly Fault[] = [
  ended('ingest', ['ingest'], 'SIGKILL'),
  ended('ingest', ['ingest'], 'SIGTERM'),
  ended('core', ['core'], 'SIGKILL'),
  ended('core', ['core'], 'SIGTERM'),
  ended('ingest and core at once', ['ingest', 'core'], 'SIGKILL'),
  ended('ingest and core at once', ['ingest', 'core'], 'SIGTERM'),
  ended('all roles in one process', ['odograph'], 'SIGKILL', { topology: 'joint' }),
  ended('all roles in one process', ['odograph'], 'SIGTERM', { topology: 'joint' }),
  ended('one of two cores', ['core-a'], 'SIGKILL', { topology: 'two cores' }),
  {
    name: 'one of two cores: SIGSTOP',
    what: 'frozen until the other has claimed its entries, then let go on',
    topology: 'two cores',
    times: { short: 2, long: 4 },
    impairs: ['core-a'],
    repeats: true,
    inject: freezeCore,
  },
  {
    name: 'everything, with Redis and PostgreSQL: SIGKILL',
    what: 'at one instant, started again up to 1.5 s later',
    topology: 'joint',
    times,
    impairs: ['odograph'],
    repeats: true,
    inject: killEverything,
  },
];
