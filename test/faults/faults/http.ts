/** What breaks while programs write over HTTP, beside the trackers. */
import type { Random } from '../../../src/simulator/random.ts';
import type { Fault } from '../fault.ts';
import { HttpWriters } from '../world/http-writers.ts';
import type { World } from '../world/world.ts';
import { kill } from './servers.ts';

const TOKEN = 'token-of-the-administrator';
const WRITERS = 8;
/** A killed process leaves its keys in use for four times INGEST_APPEND_TIMEOUT_MS. */
const settings = { AUTH_TOKEN: TOKEN, INGEST_APPEND_TIMEOUT_MS: '2000' };

/** While these write: before, during and after what is done. */
function whileWriting(inject: Fault['inject']): Fault['inject'] {
  return async (world: World, random: Random) => {
    const name = `http-${random.integer(0, 2 ** 31)}`;
    const writers = new HttpWriters(world, { token: TOKEN, name, count: WRITERS });
    await writers.untilAccepted();
    await inject(world, random);
    await writers.untilAccepted();
    await writers.finish(world);
  };
}

async function killIngest(world: World): Promise<void> {
  const ingest = world.program('ingest');
  await world.outage(async () => {
    await ingest.end('SIGKILL');
    await world.hold(0, 1_500);
    await ingest.start();
  });
}

export const httpFaults: readonly Fault[] = [
  {
    name: 'writers over HTTP, ingest: SIGKILL', what: 'while eight programs post batches with an `Idempotency-Key` and send again what was not answered with 202',
    settings, times: { short: 2, long: 4 }, impairs: ['ingest'], repeats: true, inject: whileWriting(killIngest),
  },
  {
    name: 'writers over HTTP, Redis: SIGKILL', what: 'the same; started again up to 3 s later',
    settings, times: { short: 2, long: 4 }, impairs: ['ingest', 'core'], repeats: true, inject: whileWriting(kill('redis')),
  },
];
