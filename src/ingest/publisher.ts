/**
 * Appends to Redis on behalf of all connections: what they hand in during one turn of the event loop goes out as one
 * pipeline. An append resolves only when its entries are in the stream at the durability the operator chose; the
 * caller acknowledges after that and never before.
 *
 * Errors: a failed append is kept and tried again, before what came later, until it succeeds or the publisher is
 * stopped. An append whose answer was lost is sent again; the copy in the stream changes no row. The queue is bounded
 * by its callers: from `maxQueueBytes` until half of that `congested` is true, and they stop reading their sockets.
 */
import { setImmediate } from 'node:timers/promises';
import type { Redis } from '../shared/redis.ts';
import { waitForRedis } from '../shared/redis.ts';
import { asError } from '../shared/errors.ts';
import { Progress } from '../shared/progress.ts';
import { pause, settledBy } from '../shared/wait.ts';
import { AppendCommands } from './append-commands.ts';
import type { Durability } from './durability.ts';
import { DurabilityError } from './durability.ts';
import type { StreamAppend } from './entries.ts';
import type { IngestEvents } from './events.ts';

interface Job {
  readonly appends: readonly StreamAppend[];
  readonly bytes: number;
  resolve(): void;
  reject(error: Error): void;
}

interface PublisherOptions {
  readonly redis: Redis;
  readonly durability: Durability;
  readonly maxQueueBytes: number;
  readonly events: IngestEvents;
  /** Called when `congested` has changed. */
  readonly onCongestion: () => void;
}

const MAX_PIPELINE_JOBS = 500;
const MAX_PIPELINE_BYTES = 1024 * 1024;
const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 2_000;

/** The publisher was stopped before the append was durable: do not acknowledge. */
export class NotAppendedError extends Error {
  override readonly name = 'NotAppendedError';
}

function sizeOf(appends: readonly StreamAppend[]): number {
  let bytes = 0;
  for (const { fields } of appends) for (const field of fields) bytes += field.length;
  return bytes;
}

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #stopping = new AbortController();
  readonly #progress = new Progress();
  #queue: Job[] = [];
  #inFlight: readonly Job[] = [];
  #queuedBytes = 0;
  #isCongested = false;
  #isDraining = false;
  #wake: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #isVerified = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    options.redis.on('close', () => {
      this.#isVerified = false;
    });
  }

  /**
   * Waits for Redis, checks that it gives the durability asked for, then begins.
   * @throws DurabilityError where it does not.
   */
  async start(signal: AbortSignal): Promise<void> {
    while (!this.#isVerified) {
      await waitForRedis(this.#options.redis, signal);
      if (signal.aborted) return;
      await this.#tryToVerify(signal);
    }
    if (!signal.aborted) this.#running = this.#run();
  }

  /** Callers stop reading while this is true. */
  get congested(): boolean {
    return this.#isCongested;
  }

  /** What keeps appends from becoming durable; null: nothing. */
  get impediment(): string | null {
    return this.#progress.impediment;
  }

  /**
   * Resolves when every entry is durable.
   * @throws NotAppendedError when the publisher stopped first.
   */
  append(appends: readonly StreamAppend[]): Promise<void> {
    if (appends.length === 0) return Promise.resolve();
    if (this.#stopping.signal.aborted) return Promise.reject(new NotAppendedError('the publisher has stopped'));
    const bytes = sizeOf(appends);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.#progress.begin();
    this.#queue.push({ appends, bytes, resolve: () => { resolve(undefined); }, reject });
    this.#account(bytes);
    this.#wake?.();
    return promise;
  }

  /** Lets what is queued go out until `deadline` aborts, then gives up on the rest, also on what is on its way. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isDraining = true;
    this.#wake?.();
    await settledBy(deadline, this.#running ?? Promise.resolve());
    this.#stopping.abort();
    this.#wake?.();
    const rest = [...this.#inFlight, ...this.#queue.splice(0)];
    for (const job of rest) job.reject(new NotAppendedError('not appended before the shutdown'));
  }

  #account(bytes: number): void {
    const { maxQueueBytes, events, onCongestion } = this.#options;
    this.#queuedBytes += bytes;
    events.queueBytes(this.#queuedBytes);
    const isCongested = this.#queuedBytes >= (this.#isCongested ? maxQueueBytes / 2 : maxQueueBytes);
    if (isCongested === this.#isCongested) return;
    this.#isCongested = isCongested;
    onCongestion();
  }

  async #verify(): Promise<void> {
    await this.#options.durability.verify(this.#options.redis);
    this.#isVerified = true;
  }

  /** A Redis that goes away in the middle is waited for again. */
  async #tryToVerify(signal: AbortSignal): Promise<void> {
    try {
      await this.#verify();
    } catch (error) {
      if (error instanceof DurabilityError) throw error;
      this.#options.events.redisNotReady(error);
      await pause(RETRY_MIN_MS, signal);
    }
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      if (this.#queue.length === 0) {
        if (this.#isDraining) return;
        await this.#nextJob();
        continue;
      }
      const sent = await this.#flush();
      failures = sent ? 0 : failures + 1;
      if (!sent) await this.#pause(failures);
    }
  }

  /** Waits for a job, and for the rest of the turn of the event loop, so that what arrives together goes together. */
  async #nextJob(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#wake = () => { resolve(undefined); };
    await promise;
    this.#wake = null;
    await setImmediate();
  }

  async #pause(failures: number): Promise<void> {
    const delay = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(failures, 10));
    const { signal } = this.#stopping;
    await pause(delay, signal);
    await waitForRedis(this.#options.redis, signal);
  }

  #take(): Job[] {
    let bytes = 0;
    let count = 0;
    for (const job of this.#queue) {
      if (count === MAX_PIPELINE_JOBS || (count > 0 && bytes + job.bytes > MAX_PIPELINE_BYTES)) break;
      bytes += job.bytes;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  /** Sends one pipeline; true when all of it is durable. What is not goes back to the head of the queue. */
  async #flush(): Promise<boolean> {
    const jobs = this.#take();
    this.#inFlight = jobs;
    const startedAt = performance.now();
    const { failed, error } = await this.#send(jobs);
    this.#inFlight = [];
    const isFailed = new Set(failed);
    for (const job of jobs) {
      if (isFailed.has(job)) continue;
      job.resolve();
      this.#progress.end();
      this.#account(-job.bytes);
    }
    if (error === null) {
      this.#options.events.appended(performance.now() - startedAt);
      return true;
    }
    this.#queue = [...failed, ...this.#queue];
    this.#progress.failed(error);
    if (!this.#stopping.signal.aborted) this.#options.events.appendFailed(error);
    return false;
  }

  async #send(jobs: readonly Job[]): Promise<{ failed: readonly Job[]; error: Error | null }> {
    const { redis, durability, events } = this.#options;
    try {
      if (!this.#isVerified) await this.#verify();
      const commands = new AppendCommands();
      const numbers = jobs.map(({ appends }) => appends.map((append) => commands.add(append)));
      const { failed, error } = outcome(jobs, numbers, await commands.send(redis));
      if (failed.length < jobs.length) {
        await durability.confirm(redis, this.#stopping.signal, (short) => { events.appendFailed(short); });
        // WAIT and WAITAOF speak for the writes of their own connection: on a new one there are none to wait for.
        if (!this.#isVerified) throw new Error('the connection was lost before the append was confirmed');
      }
      return { failed, error };
    } catch (error) {
      return { failed: jobs, error: asError(error) };
    }
  }
}

/** The jobs of which an append failed, and the first error. `numbers` are those of each job's commands. */
function outcome(
  jobs: readonly Job[],
  numbers: readonly (readonly number[])[],
  errors: readonly (Error | null)[],
): { failed: Job[]; error: Error | null } {
  const unknown = new Error('an append without a result');
  const failed: Job[] = [];
  let first: Error | null = null;
  for (const [index, job] of jobs.entries()) {
    const command = numbers[index]?.find((number) => errors[number] !== null);
    if (command === undefined) continue;
    failed.push(job);
    first ??= errors[command] ?? unknown;
  }
  return { failed, error: first };
}
