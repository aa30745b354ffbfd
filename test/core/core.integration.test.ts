/** The life of a processor: what it finishes when it is stopped, what it leaves, and what it gives back. */
import { expect, test } from 'vitest';
import { SchemaError } from '../../src/db/schema-error.ts';
import { encodeEntry } from '../../src/shared/contracts/telemetry-stream.ts';
import { eventually } from '../support/eventually.ts';
import type { HeldTransaction, Site } from './support.ts';
import {
  allStored, append, countPending, countPositions, frame, holdTransaction, metric, openSite, prepareCore,
  record, startCore, streamOf, waitingForLock,
} from './support.ts';

const NOW = Date.UTC(2026, 10, 20, 12);

/** Twenty entries that a processor has in hand and cannot write. */
async function twentyInHand(site: Site): Promise<HeldTransaction> {
  const held = await holdTransaction(site.pool, 'lock table positions in access exclusive mode');
  await append(site.redis, ...Array.from({ length: 20 }, (_, n) => frame('a', [record(NOW + n)])));
  await eventually(async () => {
    expect(await countPending(site.redis)).toBe(20);
    expect(await waitingForLock(site.pool)).not.toEqual([]);
  });
  return held;
}

test('finishes what it has read before it ends', async () => {
  const site = await openSite();
  const running = await startCore(site, { PROCESSOR_BATCH_RECORDS: '3' });
  const held = await twentyInHand(site);
  const stopping = running.core.stop();
  await held.end();
  await stopping;
  expect(await countPositions(site.pool)).toBe(20);
  expect(await countPending(site.redis)).toBe(0);
  expect(running.pool.totalCount).toBe(running.pool.idleCount);
});

test('what Redis delivers in the moment in which it is stopped waits for nobody', async () => {
  const site = await openSite();
  for (let round = 1; round <= 10; round += 1) {
    const running = await startCore(site, { INSTANCE_ID: `core ${round}` });
    await eventually(async () => (await metric(running.registry, 'processor_consumer_reads_total')) > 0);
    const appended = append(site.redis, frame('a', [record(NOW + round)]));
    await running.core.stop();
    await appended;
    expect(await countPending(site.redis)).toBe(0);
  }
  await startCore(site);
  await allStored(site, 10);
});

test('gives up at its deadline, and the next one stores what it has left', async () => {
  const site = await openSite();
  const running = await startCore(site, { SHUTDOWN_TIMEOUT_MS: '1000', PROCESSOR_BATCH_RECORDS: '3' });
  const held = await twentyInHand(site);
  const startedAt = performance.now();
  await running.core.stop();
  expect(performance.now() - startedAt).toBeLessThan(900);
  expect(await countPending(site.redis)).toBe(20);
  await held.end();
  const next = await startCore(site);
  await allStored(site, 20);
  expect(await metric(next.registry, 'processor_position_writes_total', { status: 'duplicate' })).toBe(0);
});

test('while it finishes, its entries are claimed by nobody', async () => {
  const site = await openSite();
  const running = await startCore(site);
  const held = await twentyInHand(site);
  const stopping = running.core.stop();
  const stream = streamOf('a');
  const bait = encodeEntry(frame('a', [record(NOW + 99)]));
  await site.redis.multi().xadd(stream, '*', ...bait)
    .xreadgroup('GROUP', 'processor', 'dead', 'STREAMS', stream, '>').exec();
  const elsewhere = await openSite({ redisUrl: site.redisUrl });
  const second = await startCore(elsewhere, { INSTANCE_ID: 'two', PROCESSOR_CLAIM_IDLE_MS: '400' });
  await eventually(async () => { expect(await countPositions(elsewhere.pool)).toBe(1); });
  expect(await metric(second.registry, 'odograph_core_claimed_entries_total')).toBe(1);
  await held.end();
  await stopping;
  expect(await countPositions(site.pool)).toBe(20);
});

test('may be stopped more than once, and before it was started', async () => {
  const site = await openSite();
  const never = await prepareCore(site);
  await never.core.stop();
  const running = await startCore(site);
  await Promise.all([running.core.stop(), running.core.stop()]);
  await running.core.stop();
  const early = await prepareCore(site);
  const starting = early.core.start();
  await early.core.stop();
  await starting;
});

test('leaves no connection to Redis open', async () => {
  const site = await openSite();
  const running = await startCore(site, { INSTANCE_ID: 'tidy' });
  const open = async (): Promise<number> => String(await site.redis.client('LIST')).split('core/tidy/').length - 1;
  await eventually(async () => { expect(await open()).toBe(1); });
  await running.core.stop();
  await eventually(async () => { expect(await open()).toBe(0); });
});

test('does not start on a database that only an operator can mend', async () => {
  const site = await openSite();
  const running = await startCore(site, { POSITIONS_STORAGE: 'partitions' });
  await running.stop();
  await site.pool.query('update schema_migrations set checksum = \'changed\'');
  const refused = await prepareCore(site);
  await expect(refused.core.start()).rejects.toThrow(SchemaError);
  expect(refused.core.isStarted).toBe(false);
});
