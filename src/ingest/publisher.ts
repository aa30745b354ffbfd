/**
 * Appends to Redis on behalf of all connections: what they hand in during one turn of the event loop goes out as one
 * pipeline. An append resolves only when its entries are in the stream at the durability the operator chose; the
 * caller acknowledges after that and never before.
 *
 * Errors: a failed append is kept and tried again, in order, until it succeeds or the publisher is stopped. An append
 * whose answer was lost is sent again; the copy in the stream changes no row. The queue is bounded by its callers:
 * above `maxQueueBytes` `congested` is true, and they stop reading their sockets.
 */
import { setImmediate } from 'node:timers/promises';
import type { Redis } from '../shared/redis.ts';
import { waitForRedis } from '../shared/redis.ts';
import { errorMessage } from '../shared/errors.ts';
import { pause } from '../shared/retry.ts';
import type { Durability } from './durability.ts';
import type { IngestEvents } from './events.ts';

/** One XADD: a stream and its field names and values. */
export interface StreamAppend {
  readonly stream: string;
  readonly fields: readonly (string | Buffer)[];
}

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
  readonly #reliefListeners = new Set<() => void>();
  #queue: Job[] = [];
  #queuedBytes = 0;
  #draining = false;
  #wake: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #verified = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    options.redis.on('close', () => {
      this.#verified = false;
    });
  }

  /**
   * Checks that Redis gives the durability asked for, then begins.
   * @throws DurabilityError where it does not.
   */
  async start(signal: AbortSignal): Promise<void> {
    await waitForRedis(this.#options.redis, signal);
    if (signal.aborted) return;
    await this.#verify();
    this.#running = this.#run();
  }

  /** Callers stop reading while this is true, and are told when it ends. */
  get congested(): boolean {
    return this.#queuedBytes >= this.#options.maxQueueBytes;
  }

  /** Calls `listener` once, when the queue is no longer congested. */
  onRelief(listener: () => void): void {
    this.#reliefListeners.add(listener);
  }

  /**
   * Resolves when every entry is durable.
   * @throws NotAppendedError when the publisher stopped first.
   */
  append(appends: readonly StreamAppend[]): Promise<void> {
    const bytes = sizeOf(appends);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    if (this.#stopping.signal.aborted) return Promise.reject(new NotAppendedError('the publisher has stopped'));
    this.#queue.push({ appends, bytes, resolve: () => { resolve(undefined); }, reject });
    this.#account(bytes);
    this.#wake?.();
    return promise;
  }

  /** Lets what is queued go out until `deadline` aborts, then gives up on the rest. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#draining = true;
    this.#wake?.();
    const giveUp = (): void => {
      this.#stopping.abort();
      this.#wake?.();
    };
    if (deadline.aborted) giveUp();
    else deadline.addEventListener('abort', giveUp, { once: true });
    await this.#running;
    this.#stopping.abort();
    for (const job of this.#queue.splice(0)) job.reject(new NotAppendedError('not appended before the shutdown'));
  }

  #account(bytes: number): void {
    const before = this.congested;
    this.#queuedBytes += bytes;
    this.#options.events.queueBytes(this.#queuedBytes);
    if (!before || this.congested) return;
    const listeners = [...this.#reliefListeners];
    this.#reliefListeners.clear();
    for (const listener of listeners) listener();
  }

  async #verify(): Promise<void> {
    await this.#options.durability.verify(this.#options.redis);
    this.#verified = true;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      if (this.#queue.length === 0) {
        if (this.#draining) return;
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
    const startedAt = performance.now();
    const { failed, error } = await this.#send(jobs);
    const kept = new Set(failed);
    for (const job of jobs) {
      if (kept.has(job)) continue;
      job.resolve();
      this.#account(-job.bytes);
    }
    if (error === null) {
      this.#options.events.appended(performance.now() - startedAt);
      return true;
    }
    this.#queue = [...failed, ...this.#queue];
    this.#options.events.appendFailed(error);
    return false;
  }

  async #send(jobs: readonly Job[]): Promise<{ failed: readonly Job[]; error: Error | null }> {
    const { redis, durability } = this.#options;
    try {
      if (!this.#verified) await this.#verify();
      const pipeline = redis.pipeline();
      for (const { appends } of jobs) {
        for (const { stream, fields } of appends) pipeline.call('XADD', stream, '*', ...fields);
      }
      const results = (await pipeline.exec()) ?? [];
      const { failed, error } = outcome(jobs, results);
      if (failed.length < jobs.length) await durability.confirm(redis, this.#stopping.signal, this.#options.events.appendFailed);
      return { failed, error };
    } catch (error) {
      return { failed: jobs, error: error instanceof Error ? error : new Error(errorMessage(error)) };
    }
  }
}

/** The jobs of which an append failed, and the first error. */
function outcome(
  jobs: readonly Job[],
  results: readonly (readonly [Error | null, unknown])[],
): { failed: Job[]; error: Error | null } {
  const failed: Job[] = [];
  let first: Error | null = null;
  let index = 0;
  for (const job of jobs) {
    const own = results.slice(index, index + job.appends.length);
    index += job.appends.length;
    const error = own.length < job.appends.length ? new Error('the pipeline was cut') : own.find(([e]) => e !== null)?.[0];
    if (error === undefined || error === null) continue;
    failed.push(job);
    first ??= error;
  }
  return { failed, error: first };
}
