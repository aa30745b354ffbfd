/**
 * Appends of frames with ten records to Redis: through the publisher of ingest, as hundreds of connections that wait
 * for their appends each; one by one, awaited, as one writes first; and as pipelines made by hand, which is what there
 * is to be had with this client.
 */
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { loadSettings } from '../../src/config/load.ts';
import { durabilityOf } from '../../src/ingest/durability.ts';
import type { StreamAppend } from '../../src/ingest/entries.ts';
import { createIngestEvents } from '../../src/ingest/events.ts';
import { Publisher } from '../../src/ingest/publisher.ts';
import { createIngestMetrics } from '../../src/observability/metrics/ingest.ts';
import type { Redis } from '../../src/shared/redis.ts';
import type { Benchmark, BenchOptions, Outcome } from '../benchmark.ts';
import { withRedis } from '../support/redis.ts';
import { takeTurns } from '../support/rounds.ts';
import { sampleEntries } from '../support/sample-entries.ts';
import { over } from '../support/statistics.ts';

const RECORDS = 10;
/** Appends at the same time, and of a pipeline made by hand. */
const AT_ONCE = 500;

interface Round {
  readonly recordsPerSecond: number;
  readonly micros: number;
}

async function timed(appends: number, work: () => Promise<void>): Promise<Round> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { recordsPerSecond: (appends * RECORDS) / seconds, micros: (user + system) / (appends * RECORDS) };
}

async function startPublisher(redis: Redis): Promise<Publisher> {
  const settings = loadSettings({});
  const events = createIngestEvents(createIngestMetrics(new Registry()), pino({ level: 'silent' }));
  const publisher = new Publisher({
    redis, durability: durabilityOf(settings), maxQueueBytes: settings.INGEST_APPEND_QUEUE_BYTES, events,
    onCongestion: () => undefined,
  });
  await publisher.start(AbortSignal.timeout(10_000));
  return publisher;
}

/** As many connections as `AT_ONCE`, each with an append on its way. */
async function published(publisher: Publisher, appends: readonly StreamAppend[]): Promise<void> {
  let next = 0;
  const connection = async (): Promise<void> => {
    for (let append = appends[next++]; append !== undefined; append = appends[next++]) await publisher.append([append]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, connection));
}

async function awaited(redis: Redis, appends: readonly StreamAppend[]): Promise<void> {
  for (const { stream, fields } of appends) await redis.call('XADD', stream, '*', ...fields);
}

async function pipelined(redis: Redis, appends: readonly StreamAppend[]): Promise<void> {
  for (let start = 0; start < appends.length; start += AT_ONCE) {
    const pipeline = redis.pipeline();
    for (const { stream, fields } of appends.slice(start, start + AT_ONCE)) pipeline.call('XADD', stream, '*', ...fields);
    await pipeline.exec();
  }
}

async function run({ servers, quick }: BenchOptions): Promise<Outcome> {
  const sample = { devices: AT_ONCE, firstRecord: 0, recordsEach: quick ? 200 : 1_000, recordsPerFrame: RECORDS };
  const appends = [...sampleEntries(sample)].map(({ append }) => append);
  const few = appends.slice(0, appends.length / 10);
  return await withRedis(servers.redis.url, async (redis) => {
    const publisher = await startPublisher(redis);
    const afterwards = async (round: Promise<Round>): Promise<Round> => {
      const result = await round;
      await redis.flushall();
      return result;
    };
    const rounds = await takeTurns({
      ours: () => afterwards(timed(appends.length, () => published(publisher, appends))),
      oneByOne: () => afterwards(timed(few.length, () => awaited(redis, few))),
      byHand: () => afterwards(timed(appends.length, () => pipelined(redis, appends))),
    }, quick ? 3 : 9);
    await publisher.stop(AbortSignal.timeout(1_000));
    const speed = (of: readonly Round[]): number[] => of.map(({ recordsPerSecond }) => recordsPerSecond);
    const micros = (of: readonly Round[]): number[] => of.map((round) => round.micros);
    return {
      figures: [
        { name: 'publisher, appends at once of 500', unit: 'records/s', values: speed(rounds.ours) },
        { name: 'XADD awaited one by one', unit: 'records/s', values: speed(rounds.oneByOne) },
        { name: 'pipelines of 500 by hand', unit: 'records/s', values: speed(rounds.byHand) },
        { name: 'publisher, CPU of the client a record', unit: 'µs', values: micros(rounds.ours) },
        { name: 'awaited one by one, CPU of the client a record', unit: 'µs', values: micros(rounds.oneByOne) },
        { name: 'pipelines by hand, CPU of the client a record', unit: 'µs', values: micros(rounds.byHand) },
      ],
      ratios: [
        { name: 'publisher ÷ awaited one by one', goal: 'no goal', values: over(speed(rounds.ours), speed(rounds.oneByOne)) },
        { name: 'publisher ÷ pipelines by hand', goal: 'no goal', values: over(speed(rounds.ours), speed(rounds.byHand)) },
      ],
    };
  });
}

export const append: Benchmark = { name: 'append', what: 'frames of 10 records to the stream, as 500 connections send them', run };
