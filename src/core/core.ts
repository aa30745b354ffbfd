/**
 * The core role: from the stream to the database, the only writer of the telemetry tables. It knows nothing of sockets.
 *
 * A reader fills a bounded queue; writers empty it in batches, each in a transaction; what is committed
 * is acknowledged. So reading overlaps with writing, and a slow database lets the stream grow, not this process.
 *
 * Stopping reads what Redis is about to deliver, then nothing more, and lets the writers empty the queue until the
 * deadline; what is not finished stays pending in Redis and is read again after the next start.
 */
import type { Pool } from 'pg';
import type { Registry } from 'prom-client';
import type { Settings } from '../config/settings.ts';
import { maintainPartitions } from '../db/partitions.ts';
import { waitForDatabase } from '../db/pool.ts';
import { prepareDatabase } from '../db/schema.ts';
import { SchemaError } from '../db/schema-error.ts';
import type { Logger } from '../observability/logger.ts';
import type { CoreMetrics } from '../observability/metrics/core.ts';
import { createCoreMetrics } from '../observability/metrics/core.ts';
import { telemetryStreams } from '../shared/contracts/telemetry-stream.ts';
import type { Redis } from '../shared/redis.ts';
import { Progress } from '../shared/progress.ts';
import { connectRedis, waitForRedis } from '../shared/redis.ts';
import { repeat, untilDone } from '../shared/retry.ts';
import type { Role } from '../shared/role.ts';
import { pause, settledBy } from '../shared/wait.ts';
import { keepAccountsPublished } from './account-list.ts';
import { Acknowledger } from './acknowledger.ts';
import { Batches } from './batches.ts';
import type { ConsumerName } from './consumer-name.ts';
import { takeConsumerName } from './consumer-name.ts';
import { boundDeadLetters, measureDeadLetters } from './dead-letter-upkeep.ts';
import { publishDeviceList } from './device-list.ts';
import { Devices } from './devices.ts';
import { EntryQueue } from './entry-queue.ts';
import type { CoreEvents } from './events.ts';
import { createCoreEvents } from './events.ts';
import { Groups } from './groups.ts';
import { LagMeter } from './lag-meter.ts';
import { Partition } from './partition.ts';
import { StreamReader } from './reader.ts';
import { keepRollups } from './rollups/rollups.ts';
import { measure, removeDeadConsumers, trim } from './stream-upkeep.ts';
import { Writer } from './writer.ts';

interface CoreOptions {
  readonly settings: Settings;
  readonly redisUrl: string;
  /** A connection for commands that do not block. */
  readonly redis: Redis;
  readonly pool: Pool;
  readonly registry: Registry;
  readonly log: Logger;
}

const LAG_INTERVAL_MS = 10_000;
const DEAD_LETTER_INTERVAL_MS = 10_000;
const MAINTENANCE_INTERVAL_MS = 3_600_000;
const PREPARE_RETRY_MS = 1_000;
/** Of SHUTDOWN_TIMEOUT_MS, for what is queued; ingest has had half of it, and closing takes some time too. */
const DRAIN_SHARE = 0.4;
/** For the answer to a read that has waited its time; one that is later comes from a Redis that is away. */
const REPLY_GRACE_MS = 250;

class Core implements Role {
  readonly name = 'core';
  readonly #options: CoreOptions;
  readonly #metrics: CoreMetrics;
  readonly #events: CoreEvents;
  /** Ends reading and waiting. */
  readonly #stopping = new AbortController();
  /** Ends writing too: the deadline has passed. */
  readonly #giveUp = new AbortController();
  readonly #queue: EntryQueue;
  readonly #batches: Batches;
  #blocking: Redis | null = null;
  readonly #lagMeter = new LagMeter();
  readonly #progress = new Progress();
  #consumer: ConsumerName | null = null;
  #reading: Promise<unknown> = Promise.resolve();
  #writing: Promise<unknown> = Promise.resolve();
  #upkeep: Promise<unknown> = Promise.resolve();
  #starting: Promise<void> | null = null;
  #started = false;

  constructor(options: CoreOptions) {
    this.#options = options;
    this.#metrics = createCoreMetrics(options.registry);
    this.#events = createCoreEvents(this.#metrics, options.log);
    this.#queue = new EntryQueue(options.settings.PROCESSOR_QUEUE_RECORDS, this.#events.queueSize);
    this.#batches = new Batches(this.#queue, options.settings.PROCESSOR_BATCH_RECORDS);
  }

  get isStarted(): boolean {
    return this.#started;
  }

  get impediment(): string | null {
    return this.#progress.impediment;
  }

  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async stop(): Promise<void> {
    const { SHUTDOWN_TIMEOUT_MS: timeoutMs, PROCESSOR_BLOCK_MS: blockMs } = this.#options.settings;
    this.#stopping.abort();
    const deadline = AbortSignal.timeout(timeoutMs * DRAIN_SHARE);
    await settledBy(deadline, this.#starting ?? Promise.resolve());
    // Entries whose delivery is cut off would wait for the next process of this name, or to be claimed.
    await settledBy(AbortSignal.any([deadline, AbortSignal.timeout(blockMs + REPLY_GRACE_MS)]), this.#reading);
    this.#blocking?.disconnect();
    this.#queue.finish();
    await settledBy(deadline, this.#writing, this.#reading);
    // What is still queued stays pending in Redis. The renewal of entries ends here too.
    this.#giveUp.abort();
    this.#queue.close();
    await settledBy(deadline, this.#writing, this.#upkeep);
    this.#consumer?.release();
    this.#consumer = null;
  }

  async #start(): Promise<void> {
    const { log } = this.#options;
    await this.#prepareDatabase();
    const partitions = await this.#join();
    if (partitions === null || this.#stopping.signal.aborted) return;
    const groups = this.#groupsOf(partitions);
    const reader = this.#createReader(partitions, groups);
    this.#startWriters(partitions);
    this.#reading = reader.run();
    this.#startUpkeep(partitions, reader);
    this.#started = true;
    log.info({ consumer: this.#consumer?.name, partitions: partitions.length }, 'processing the stream');
  }

  /** Takes a name in the consumer group, which is created where it is not there yet; null: stopped before that. */
  async #join(): Promise<Partition[] | null> {
    const { settings, redis, pool } = this.#options;
    const { signal } = this.#stopping;
    const onError = this.#events.upkeepFailed;
    const attempts = { what: 'joining the consumer group', signal, onError };
    let partitions: Partition[] = [];
    const joined = await untilDone(attempts, async () => {
      this.#consumer ??= await takeConsumerName(pool, settings.INSTANCE_ID);
      const { name } = this.#consumer;
      await waitForRedis(redis, signal);
      partitions = telemetryStreams(settings.STREAM_PARTITIONS).map((stream) => new Partition(stream, name));
      await this.#groupsOf(partitions).create();
    });
    return joined ? partitions : null;
  }

  /** Waits for the database and brings its schema up. @throws SchemaError what only an operator can mend. */
  async #prepareDatabase(): Promise<void> {
    const { pool, settings, log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await waitForDatabase(pool, { signal, onRetry: this.#events.databaseAway });
        this.#events.databaseThere();
        const { storage } = await prepareDatabase(pool, settings, log, { signal });
        log.info({ storage }, 'database is ready');
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof SchemaError) throw error;
        this.#events.upkeepFailed('preparing the database', error);
        await pause(PREPARE_RETRY_MS, signal);
      }
    }
  }

  #groupsOf(partitions: readonly Partition[]): Groups {
    return new Groups({ redis: this.#options.redis, partitions, events: this.#events, signal: this.#stopping.signal });
  }

  #createReader(partitions: readonly Partition[], groups: Groups): StreamReader {
    const { settings, redisUrl } = this.#options;
    const redis = connectRedis(redisUrl, {
      name: `odograph/core/${settings.INSTANCE_ID}/reader`,
      commandTimeoutMs: settings.PROCESSOR_BLOCK_MS + settings.INGEST_APPEND_TIMEOUT_MS,
      onError: () => undefined, // the reader reports what a lost connection means to it
    });
    this.#blocking = redis;
    const common = { queue: this.#queue, batches: this.#batches, events: this.#events, signal: this.#stopping.signal };
    return new StreamReader({ partitions, groups, redis, settings, ...common });
  }

  #startWriters(partitions: readonly Partition[]): void {
    const { settings, pool, redis } = this.#options;
    const { signal } = this.#giveUp;
    const devices = new Devices(settings.DEVICE_STATE_CAPACITY, this.#events);
    const timeoutMs = 2 * settings.POSTGRES_STATEMENT_TIMEOUT_MS;
    const progress = this.#progress;
    const writer = new Writer({ pool, devices, events: this.#events, progress, timeoutMs, signal });
    const byStream = new Map(partitions.map((partition) => [partition.stream, partition]));
    const acknowledger = new Acknowledger({ redis, partitions: byStream, events: this.#events, signal });
    const loops = Array.from({ length: settings.PROCESSOR_WRITERS }, () => this.#writeLoop(writer, acknowledger));
    this.#writing = Promise.all(loops);
  }

  /** Takes batches until the queue is closed. The order is the promise: COMMIT, dead letters, then XACK. */
  async #writeLoop(writer: Writer, acknowledger: Acknowledger): Promise<void> {
    for (;;) {
      const entries = await this.#batches.next();
      if (entries === null) return;
      this.#progress.begin();
      const refused = await writer.write(entries);
      await acknowledger.settle(entries, [...entries.flatMap(({ deadLetters }) => deadLetters), ...refused]);
      this.#progress.end();
      this.#batches.done();
    }
  }

  #startUpkeep(partitions: readonly Partition[], reader: StreamReader): void {
    const { settings, redis, pool } = this.#options;
    const { signal } = this.#stopping;
    const onError = this.#events.upkeepFailed;
    const { PROCESSOR_CLAIM_INTERVAL_MS: claimIntervalMs } = settings;
    const streams = partitions.map(({ stream }) => stream);
    const every = (what: string, intervalMs: number, work: () => Promise<unknown>): Promise<void> =>
      repeat({ what, intervalMs, signal, onError }, work);
    // Entries are in hand until the last writer has ended.
    const renewing = { what: 'renewing entries', intervalMs: claimIntervalMs, signal: this.#giveUp.signal, onError };
    this.#upkeep = Promise.all([
      repeat(renewing, () => this.#renew(partitions)),
      every('measuring the stream', LAG_INTERVAL_MS, () => this.#measure(streams)),
      every('bounding the dead letters', DEAD_LETTER_INTERVAL_MS, () => this.#boundDeadLetters()),
      every('trimming the stream', settings.STREAM_TRIM_INTERVAL_MS, () => this.#trim(streams)),
      // Waits while the queue is full: a processor that does not keep up takes nothing over.
      every('claiming entries', claimIntervalMs, () => reader.claim(redis)),
      every('removing dead consumers', claimIntervalMs, () => this.#removeDead(streams)),
      every('publishing the device list', settings.DEVICE_LIST_REFRESH_MS, () => publishDeviceList(pool, redis)),
      every('rolling up', settings.ROLLUP_INTERVAL_MS, () => keepRollups(pool, { settings, events: this.#events, signal })),
      keepAccountsPublished({ pool, redis, intervalMs: settings.DEVICE_LIST_REFRESH_MS, onError, signal }),
      every('maintaining partitions', MAINTENANCE_INTERVAL_MS, () => maintainPartitions(pool, settings, Date.now())),
    ]);
  }

  async #measure(streams: readonly string[]): Promise<void> {
    const { entries, pending, lag } = await measure(this.#options.redis, streams, this.#lagMeter);
    this.#metrics.streamEntries.set(entries);
    this.#metrics.pending.set(pending);
    if (lag !== undefined) this.#metrics.lag.set(lag);
  }

  async #boundDeadLetters(): Promise<void> {
    const { redis, settings: { DEAD_LETTER_MAX_BYTES: maxBytes } } = this.#options;
    const dropped = await boundDeadLetters(redis, maxBytes);
    if (dropped !== null) this.#events.deadLettersDropped(dropped);
    this.#events.deadLettersMeasured(await measureDeadLetters(redis), maxBytes);
  }

  async #trim(streams: readonly string[]): Promise<void> {
    const { redis, settings: { STREAM_RETENTION_MS: ms, STREAM_RETENTION_BYTES: bytes } } = this.#options;
    const retention = { ms, bytes: bytes / streams.length };
    for (const stream of streams) this.#events.trimmed(await trim(redis, stream, retention));
  }

  async #renew(partitions: readonly Partition[]): Promise<void> {
    await Promise.all(partitions.map((partition) => partition.renew(this.#options.redis)));
  }

  async #removeDead(streams: readonly string[]): Promise<void> {
    const { redis, settings } = this.#options;
    for (const stream of streams) {
      const removed = await removeDeadConsumers(redis, stream, settings.PROCESSOR_CONSUMER_EXPIRY_MS);
      if (removed.length > 0) this.#events.consumersRemoved(stream, removed);
    }
  }
}

/** The processor of this process. */
export function createCore(options: CoreOptions): Role {
  return new Core(options);
}
