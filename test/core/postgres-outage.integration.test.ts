/** A PostgreSQL that is stopped or frozen: the stream keeps what comes in, this process does not; nothing is lost. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { descendantsOf } from '../../src/embedded/process-table.ts';
import { encodeEntry } from '../../src/shared/contracts/telemetry-stream.ts';
import { startPrivatePostgres } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import type { PrivateServer } from '../support/private-server.ts';
import type { RunningCore, Site } from './support.ts';
import {
  allStored, append, countPending, countPositions, frame, freshDatabaseOn, metric, openSite, prepareCore, record,
  records, startCore, streamOf,
} from './support.ts';

const NOW = Date.UTC(2026, 10, 20, 12);

let postgres: PrivateServer;
let site: Site;

beforeAll(async () => { postgres = await startPrivatePostgres(); });
afterAll(async () => { await postgres.stop(); });
beforeEach(async () => { site = await openSite({ postgresUrl: await freshDatabaseOn(postgres.url) }); });

/** To the server and every process of it, since those that serve connections go on when only the first is stopped. */
async function signalAll(signal: NodeJS.Signals): Promise<void> {
  process.kill(postgres.pid, signal);
  for (const pid of await descendantsOf(postgres.pid)) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // Some of its processes are short-lived.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}

const OUTAGES = {
  stopped: { begin: () => postgres.stop(), end: async () => { postgres = await postgres.again(); } },
  killed: { begin: () => postgres.kill(), end: async () => { postgres = await postgres.again(); } },
  frozen: { begin: () => signalAll('SIGSTOP'), end: () => signalAll('SIGCONT') },
} as const;

async function whilePostgresIs(how: keyof typeof OUTAGES, work: () => Promise<unknown>): Promise<void> {
  await OUTAGES[how].begin();
  try {
    await work();
  } finally {
    await OUTAGES[how].end();
  }
}

async function retries({ registry }: RunningCore): Promise<number> {
  return metric(registry, 'odograph_core_write_retries_total');
}

/** Waits for `count` more failed attempts to write. */
async function failures(running: RunningCore, count: number, timeoutMs = 10_000): Promise<void> {
  const wanted = await retries(running) + count;
  await eventually(async () => { expect(await retries(running)).toBeGreaterThanOrEqual(wanted); }, { timeoutMs });
}

test('stopped while records come in and started again: all are stored, and reading pauses at the bound', async () => {
  const running = await startCore(site, {
    PROCESSOR_QUEUE_RECORDS: '50', PROCESSOR_READ_COUNT: '10', PROCESSOR_BATCH_RECORDS: '20', PROCESSOR_WRITERS: '2',
  });
  await append(site.redis, ...Array.from({ length: 100 }, (_, n) => frame(`device ${n}`, [record(NOW)])));
  await allStored(site, 100);
  await whilePostgresIs('stopped', async () => {
    await append(site.redis, ...Array.from({ length: 500 }, (_, n) => frame(`device ${n % 100}`, [record(NOW + 1 + n)])));
    await eventually(async () => {
      expect(await metric(running.registry, 'odograph_core_queue_records')).toBeGreaterThanOrEqual(50);
    });
    await failures(running, 4);
    // Two batches in the writers, the queue, and what each of the two readers had asked for when it was full.
    expect(await countPending(site.redis)).toBeLessThanOrEqual(2 * 20 + 50 + 2 * 10);
    expect(await metric(running.registry, 'processor_acks_total')).toBe(100);
  });
  await allStored(site, 600);
  expect(await metric(running.registry, 'processor_position_writes_total', { status: 'inserted' })).toBe(600);
});

test('killed while records come in: all are stored once it has recovered', async () => {
  const running = await startCore(site, { PROCESSOR_BATCH_RECORDS: '5' });
  const pouring = Array.from({ length: 40 }, (_, n) => append(site.redis, frame('a', records(5, NOW + n * 10_000))));
  await eventually(async () => { expect(await countPositions(site.pool)).toBeGreaterThan(20); });
  await whilePostgresIs('killed', async () => {
    await Promise.all(pouring);
    await append(site.redis, frame('a', records(5, NOW - 10_000)));
    await failures(running, 1);
  });
  await allStored(site, 205);
});

test('entries in hand are not claimed by another processor while they wait for the database', async () => {
  const stream = streamOf('a');
  await startCore(site);
  await append(site.redis, frame('a', [record(NOW)]));
  await allStored(site, 1);
  await whilePostgresIs('stopped', async () => {
    await append(site.redis, ...Array.from({ length: 20 }, (_, n) => frame('a', [record(NOW + 1 + n)])));
    await eventually(async () => { expect(await countPending(site.redis)).toBe(20); });
    // Delivered after those, to a consumer that does nothing: when this one is idle for long enough, so would they be.
    const bait = encodeEntry(frame('a', [record(NOW + 99)]));
    await site.redis.multi().xadd(stream, '*', ...bait)
      .xreadgroup('GROUP', 'processor', 'dead', 'STREAMS', stream, '>').exec();
    const elsewhere = await openSite({ redisUrl: site.redisUrl });
    const second = await startCore(elsewhere, { INSTANCE_ID: 'two', PROCESSOR_CLAIM_IDLE_MS: '400' });
    await eventually(async () => { expect(await countPositions(elsewhere.pool)).toBe(1); });
    await eventually(async () => { expect(await countPending(site.redis)).toBe(20); });
    expect(await metric(second.registry, 'odograph_core_claimed_entries_total')).toBe(1);
  });
  await allStored(site, 21);
});

test('frozen: a writer gives up its connection, and stores when the server goes on', async () => {
  const running = await startCore(site, { POSTGRES_STATEMENT_TIMEOUT_MS: '300' });
  await append(site.redis, frame('a', [record(NOW)]));
  await allStored(site, 1);
  await whilePostgresIs('frozen', async () => {
    await append(site.redis, frame('a', records(10, NOW + 1)));
    // Within twice the time of a statement, long before the driver gives one up by itself.
    await failures(running, 1, 3_000);
    expect(await metric(running.registry, 'processor_acks_total')).toBe(1);
  });
  await allStored(site, 11);
});

test.each(['stopped', 'frozen'] as const)('%s: a processor ends in time and leaves what it has pending', async (how) => {
  const running = await startCore(site, { SHUTDOWN_TIMEOUT_MS: '1000' });
  await append(site.redis, frame('a', [record(NOW)]));
  await allStored(site, 1);
  await whilePostgresIs(how, async () => {
    await append(site.redis, ...Array.from({ length: 10 }, (_, n) => frame('a', [record(NOW + 1 + n)])));
    await eventually(async () => { expect(await countPending(site.redis)).toBe(10); });
    const startedAt = performance.now();
    await running.core.stop();
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(await countPending(site.redis)).toBe(10);
  });
  await startCore(site);
  await allStored(site, 11);
});

test('a processor that starts before its database waits for it', async () => {
  const running = await prepareCore(site);
  let starting: Promise<void> = Promise.resolve();
  await whilePostgresIs('stopped', async () => {
    await append(site.redis, frame('a', records(5, NOW)));
    starting = running.core.start();
    await eventually(() => running.lines.some(({ msg }) => msg.includes('unreachable')));
    expect(running.core.isStarted).toBe(false);
  });
  await starting;
  expect(running.core.isStarted).toBe(true);
  await allStored(site, 5);
});

test('a processor that is stopped while it waits for its database ends at once', async () => {
  const running = await prepareCore(site);
  await whilePostgresIs('stopped', async () => {
    const starting = running.core.start();
    await eventually(() => running.lines.some(({ msg }) => msg.includes('unreachable')));
    await running.stop();
    await starting;
    expect(running.core.isStarted).toBe(false);
  });
});
