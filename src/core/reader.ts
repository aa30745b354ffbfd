/**
 * Reads one partition, whose group exists, into the queue. After a start, and after every error, entries that were
 * delivered to this consumer and never reached it come first; then new ones.
 *
 * Errors: a lost connection is waited for; a missing group is created again at the beginning of the stream, which is
 * reported as the loss of data that it is. An entry that was delivered too often becomes a dead letter.
 */
import type { Settings } from '../config/settings.ts';
import { isGroupMissing } from '../shared/contracts/consumer-group.ts';
import type { Redis } from '../shared/redis.ts';
import { waitForRedis } from '../shared/redis.ts';
import { pause } from '../shared/wait.ts';
import type { DeliveredEntry, ProcessorEntry } from './entry.ts';
import { decodeDelivered, entryLetter, entryWithout } from './entry.ts';
import type { EntryQueue } from './entry-queue.ts';
import type { CoreEvents } from './events.ts';
import type { Groups } from './groups.ts';
import type { Partition } from './partition.ts';

type ReaderSettings = Pick<
  Settings,
  'PROCESSOR_READ_COUNT' | 'PROCESSOR_BLOCK_MS' | 'PROCESSOR_CLAIM_IDLE_MS' | 'MAX_DELIVERIES'
>;

export interface ReaderOptions {
  readonly partition: Partition;
  readonly groups: Pick<Groups, 'restore'>;
  /** A connection of this reader's own: it blocks. */
  readonly redis: Redis;
  readonly queue: EntryQueue;
  readonly settings: ReaderSettings;
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
    const { signal, redis, partition, groups, events } = this.#options;
    while (!signal.aborted) {
      try {
        await waitForRedis(redis, signal);
        await groups.restore();
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
    const { PROCESSOR_CLAIM_IDLE_MS: minIdleMs, PROCESSOR_READ_COUNT: count } = settings;
    let cursor = '0-0';
    do {
      const { entries, next } = await partition.claim(redis, minIdleMs, cursor, count);
      if (entries.length > 0) events.claimed(partition.stream, entries.length);
      await this.#redelivered(entries);
      cursor = next;
    } while (cursor !== '0-0' && !signal.aborted);
  }

  async #readPending(): Promise<void> {
    const { partition, redis, settings, signal } = this.#options;
    let cursor: string | null = null;
    do {
      const { entries, next } = await partition.readPending(redis, cursor, settings.PROCESSOR_READ_COUNT);
      await this.#redelivered(entries);
      cursor = next;
    } while (cursor !== null && !signal.aborted);
  }

  async #readNew(): Promise<void> {
    const { partition, redis, settings } = this.#options;
    await this.#enqueue(await partition.readNew(redis, settings.PROCESSOR_READ_COUNT, settings.PROCESSOR_BLOCK_MS));
  }

  async #redelivered(delivered: readonly DeliveredEntry[]): Promise<void> {
    if (delivered.length > 0) await this.#enqueue(delivered);
  }

  /** Takes entries in hand and queues them in one step: what is in hand is always on its way to the database. */
  async #enqueue(delivered: readonly DeliveredEntry[]): Promise<void> {
    const { partition, queue, events, settings } = this.#options;
    const fresh = delivered.filter(({ id }) => !partition.inHand.has(id));
    const entries = fresh.map((entry) => judge(entry, settings.MAX_DELIVERIES));
    partition.take(entries);
    events.read(entries.length, countRecords(entries));
    await queue.push(entries);
  }
}

function countRecords(entries: readonly ProcessorEntry[]): number {
  return entries.reduce((sum, { records }) => sum + records.length, 0);
}

function judge(delivered: DeliveredEntry, maxDeliveries: number): ProcessorEntry {
  const { fields, deliveries } = delivered;
  if (fields === null || deliveries <= maxDeliveries) {
    return decodeDelivered(delivered, deliveries >= SUSPICIOUS_DELIVERIES);
  }
  const message = `delivered ${deliveries} times and never completed`;
  return entryWithout(delivered, [entryLetter({ ...delivered, fields }, 'max_deliveries', { field: '', message })]);
}
