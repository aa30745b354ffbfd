/** Two processors are restarted one after the other while trackers send: nothing is lost, twice, or left waiting. */
import { expect, test } from 'vitest';
import { PROCESSOR_GROUP } from '../../src/shared/contracts/telemetry-stream.ts';
import type { Sample } from '../../src/shared/metrics-text.ts';
import { parseMetrics, total } from '../../src/shared/metrics-text.ts';
import type { Site } from '../core/support.ts';
import { STREAMS, countPending, openSite } from '../core/support.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultyLoad } from './simulator.ts';
import type { Environment, Odograph } from './support.ts';
import { startOdograph } from './support.ts';

const AGES = 'odograph_core_receipt_to_commit_seconds';
/** No entry waits for as long: those of a processor that ends are stored by it. Both leave room for a busy machine. */
const CLAIM_IDLE_MS = '60000';
const LONGEST_WAIT_S = '30';

function settings({ redisUrl, postgresUrl }: Site, role: string, instance: string): Environment {
  return {
    REDIS_URL: redisUrl, POSTGRES_URL: postgresUrl, ROLES: role, INSTANCE_ID: instance,
    PROCESSOR_CLAIM_IDLE_MS: CLAIM_IDLE_MS, PROCESSOR_CLAIM_INTERVAL_MS: '500',
  };
}

async function samples(core: Odograph): Promise<readonly Sample[]> {
  return parseMetrics(await core.metrics());
}

/** Waits until the processor has stored so many entries. */
async function works(core: Odograph, entries = 100): Promise<void> {
  await eventually(async () => total(await samples(core), 'processor_acks_total') >= entries, { timeoutMs: 20_000 });
}

/** Entries that were delivered to a processor and that it has not acknowledged. */
async function leftBy({ redis }: Site, consumer: string): Promise<unknown[]> {
  const pending = (stream: string): Promise<unknown> =>
    redis.call('XPENDING', stream, PROCESSOR_GROUP, '-', '+', 100, consumer);
  return (await Promise.all(STREAMS.map(pending))).flat();
}

/** Entries that were older than the limit when they were stored. */
function storedLate(found: readonly Sample[]): number {
  return total(found, `${AGES}_count`) - total(found, `${AGES}_bucket`, { le: LONGEST_WAIT_S });
}

test('under load, one after the other: nothing is lost or stored twice, and no entry waits to be claimed', async () => {
  const site = await openSite();
  const ingest = await startOdograph(settings(site, 'ingest', 'ingest'));
  const cores = new Map<string, Odograph>();
  for (const name of ['one', 'two']) cores.set(name, await startOdograph(settings(site, 'core', name)));
  await Promise.all([ingest, ...cores.values()].map((process) => process.ready()));
  const load = startFaultyLoad(await ingest.trackerPort(), site.postgresUrl);
  const ends: Sample[] = [];

  for (const [name, core] of cores) {
    await works(core);
    ends.push(...(await samples(core)));
    expect(await core.end('SIGTERM')).toBe(0);
    expect(await leftBy(site, name)).toEqual([]);
    const successor = await startOdograph(settings(site, 'core', name));
    await successor.ready();
    cores.set(name, successor);
    await works(successor);
  }

  const { verification, records } = await load.verified();
  expect(verification).toMatchObject({ lost: 0, duplicated: 0, compared: records.acknowledged });
  await eventually(async () => { expect(await countPending(site.redis)).toBe(0); });
  for (const core of cores.values()) ends.push(...(await samples(core)));
  expect(total(ends, 'odograph_core_claimed_entries_total')).toBe(0);
  expect(storedLate(ends)).toBe(0);
});
