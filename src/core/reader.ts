/**
 * Reads one partition, whose group exists, into the queue. After a start, and after every error, entries that were delivered to this
 * consumer and never reached it come first; then new ones.
 *
 * Errors: a lost connection is waited for; a missing group is created again at the beginning of the stream, which is
 * reported as the loss of data that it is. An entry that was delivered too often becomes a dead letter.
 */
import type { Settings } from '../config/settings.ts';
import type { Redis } from '../shared/redis.ts';
import { waitForRedis } from '../shared/redis.ts';
import { pause } from '../shared/retry.ts';
import type { DeliveredEntry, ProcessorEntry } from './entry.ts';
import { decodeDelivered, entryLetter, entryWithout } from './entry.ts';
import type { EntryQueue } from './entry-queue.ts';
import type { CoreEvents } from './events.ts';
import type { Partition } from './partition.ts';
import { isGroupMissing } from './partition.ts';

export interface ReaderOptions {
  readonly partition: Partition;
  /** A connection of this reader's own: it blocks. */
  readonly redis: Redis;
  readonly queue: EntryQueue;
  readonly settings: Pick<Settings, 'PROCESSOR_READ_COUNT' | 'PROCESSOR_BLOCK_MS' | 'PROCESSOR_CLAIM_IDLE_MS' | 'MAX_DELIVERIES'>;
  readonly events: CoreEvents;
  readonly signal: AbortSignal;
}

const RETRY_MS = 200;
/** An entry that failed to complete this often may be what ends the process: it gets a transaction of its own. */
const SUSPICIOUS_DELIVERIES = 3;

export class PartitionReader {
  readonly #options: ReaderOptions;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Reads until `signal` aborts. */
  async run(): Promise<void> {
    const { signal, redis, partition, events } = this.#options;
    while (!signal.aborted) {
      try {
        await waitForRedis(redis, signal);
        await this.#ensureGroup();
        await this.#readPending();
        while (!signal.aborted) await this.#readNew();
      } catch (error) {
        if (signal.aborted) return;
        if (isGroupMissing(error)) continue;
        events.readFailed(partition.stream, error);
        await pause(RETRY_MS, signal);
      }
    }
  }

  /** Takes over what dead consumers have left. */
  async claim(redis: Redis): Promise<void> {
    const { partition, settings, events, signal } = this.#options;
    let cursor = '0-0';
    do {
      const { entries, next } = await partition.claim(redis, settings.PROCESSOR_CLAIM_IDLE_MS, cursor, settings.PROCESSOR_READ_COUNT);
      if (entries.length > 0) events.claimed(partition.stream, entries.length);
      await this.#redelivered(redis, entries);
      cursor = next;
    } while (cursor !== '0-0' && !signal.aborted);
  }

  /** The group was there when this reader was made: that it has to be created means that Redis lost it. */
  async #ensureGroup(): Promise<void> {
    const { partition, redis, events } = this.#options;
    if (await partition.createGroup(redis)) events.groupLost(partition.stream);
  }

  async #readPending(): Promise<void> {
    const { partition, redis, settings, signal } = this.#options;
    let cursor: string | null = '0';
    while (cursor !== null && !signal.aborted) {
      const { entries, next } = await partition.readPending(redis, cursor, settings.PROCESSOR_READ_COUNT);
      await this.#redelivered(redis, entries);
      cursor = next;
    }
  }

  async #readNew(): Promise<void> {
    const { partition, redis, settings, queue, events } = this.#options;
    const delivered = await partition.readNew(redis, settings.PROCESSOR_READ_COUNT, settings.PROCESSOR_BLOCK_MS);
    const entries = delivered.map((entry) => decodeDelivered(entry, false));
    events.read(entries.length, countRecords(entries));
    await queue.push(entries);
  }

  async #redelivered(redis: Redis, delivered: readonly DeliveredEntry[]): Promise<void> {
    if (delivered.length === 0) return;
    const { partition, queue, events, settings } = this.#options;
    const counts = await partition.deliveries(redis, delivered);
    const entries = delivered.map((entry) => judge(entry, counts.get(entry.id) ?? 1, settings.MAX_DELIVERIES));
    events.read(entries.length, countRecords(entries));
    await queue.push(entries);
  }
}

function countRecords(entries: readonly ProcessorEntry[]): number {
  return entries.reduce((sum, { records }) => sum + records.length, 0);
}

function judge(delivered: DeliveredEntry, deliveries: number, maxDeliveries: number): ProcessorEntry {
  const { stream, id, fields } = delivered;
  if (fields === null || deliveries <= maxDeliveries) return decodeDelivered(delivered, deliveries >= SUSPICIOUS_DELIVERIES);
  const message = `delivered ${deliveries} times and never completed`;
  return entryWithout(delivered, [entryLetter({ stream, id, fields }, 'max_deliveries', { field: '', message })]);
}
