/** Redis that ends, hangs, is full, or comes back with nothing. */
import type { Random } from '../../../src/simulator/random.ts';
import { eventually } from '../../support/eventually.ts';
import type { Fault } from '../fault.ts';
import type { World } from '../world/world.ts';
import { freeze, kill, restart } from './servers.ts';

const both = ['ingest', 'core'] as const;
const KIB = 1024;
const MIB = 1024 * KIB;
/** What the fleet sends in some ten seconds. */
const STREAM_ROOM = 8 * MIB;
const GROUPS_LOST = 'consumer groups are gone and are created again';

async function usedMemory(world: World): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await world.redisClient.info('memory'))?.[1]);
}

async function limitMemory(world: World, bytes: number): Promise<void> {
  await world.redisClient.config('SET', 'maxmemory', bytes);
}

async function liftLimit(world: World): Promise<void> {
  await limitMemory(world, 0);
  await world.recovered();
}

async function untilFull(world: World): Promise<void> {
  await eventually(async () => {
    const used = await usedMemory(world);
    const [, limit] = await world.redisClient.config('GET', 'maxmemory') as [string, string];
    if (used < Number(limit)) throw new Error(`Redis uses ${used} of ${limit} bytes`);
  }, { timeoutMs: 60_000 });
}

/** As somebody else's data would: below what is in use nothing is taken any more, whatever is trimmed. */
async function fill(world: World): Promise<void> {
  await world.outage(async () => {
    await limitMemory(world, MIB);
    await world.hold(12_000, 14_000);
    await limitMemory(world, 0);
  });
}

/** The stream grows until Redis is full; the database comes back, and that is all that anybody does about it. */
async function fillByStream(world: World): Promise<void> {
  await limitMemory(world, (await usedMemory(world)) + STREAM_ROOM);
  await world.outage(async () => {
    await world.postgres.stop();
    await untilFull(world);
    await world.hold(1_000, 3_000);
    world.postgres = await world.postgres.again();
  });
}

async function cutConnections(world: World, random: Random): Promise<void> {
  const cuts = random.integer(3, 6);
  await world.outage(async () => {
    for (let cut = 0; cut < cuts; cut += 1) {
      await world.redisClient.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await world.hold(50, 500);
    }
  });
}

export const redisFaults: readonly Fault[] = [
  {
    name: 'Redis: SIGKILL', what: 'with `appendfsync always`; started again up to 3 s later',
    times: { short: 3, long: 5 }, impairs: both, repeats: true, inject: kill('redis'),
  },
  {
    name: 'Redis: restart', what: 'stopped in its orderly way, started again up to 3 s later',
    times: { short: 2, long: 4 }, impairs: both, repeats: true, inject: restart('redis'),
  },
  {
    name: 'Redis: SIGSTOP for 20 s', what: 'connections stay, nothing answers',
    times: { short: 1, long: 3 }, impairs: both, repeats: true, inject: freeze('redis'),
  },
  {
    name: 'Redis: connections cut', what: 'every connection is closed by the server, several times in a row',
    times: { short: 3, long: 5 }, impairs: both, repeats: true, inject: cutConnections,
  },
  {
    name: 'Redis: full', what: '`maxmemory` below what is in use, under `noeviction`',
    times: { short: 2, long: 4 }, impairs: ['ingest'], inject: fill,
  },
  {
    name: 'Redis: full of what the database does not take', what: 'PostgreSQL is stopped until the stream has reached `maxmemory`',
    // What is acknowledged stays for a while, and must not be what fills so small a memory.
    settings: { STREAM_RETENTION_MS: '1000', STREAM_TRIM_INTERVAL_MS: '500' },
    times: { short: 1, long: 3 }, impairs: ['core'], mayImpair: ['ingest'], inject: fillByStream, repair: liftLimit,
  },
  {
    name: 'Redis: comes back empty', what: 'without an append-only file, under `INGEST_DURABILITY=memory`: what waits in memory is lost by choice',
    redis: { appendonly: 'no' }, settings: { INGEST_DURABILITY: 'memory' },
    times: { short: 2, long: 4 }, impairs: both, repeats: true, loses: true, errors: [GROUPS_LOST], inject: kill('redis'),
  },
  {
    name: 'consumer groups deleted', what: '`XGROUP DESTROY` on every partition',
    times: { short: 3, long: 5 }, impairs: [], repeats: true, errors: [GROUPS_LOST], inject: deleteGroups,
  },
];

async function deleteGroups(world: World): Promise<void> {
  const streams = await world.redisClient.keys('telemetry:{*}');
  const pipeline = world.redisClient.multi();
  for (const stream of streams) pipeline.xgroup('DESTROY', stream, 'processor');
  await pipeline.exec();
}
