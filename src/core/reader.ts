/**
 * Reads partitions, whose groups exist, into the queue, all of them with one command. After a start, and after every
 * error, entries that were delivered to this consumer and never reached it come first; then new ones. While little
 * comes in it reads when a transaction could begin, else as fast as the queue has room.
 *
 * Errors: a lost connection is waited for; a missing group is created again at the beginning of the stream, which is
 * reported as the loss of data that it is. An entry that was delivered too often becomes a dead letter.
 */
import type { Settings } from '../config/settings.ts';
import { isGroupMissing } from '../shared/contracts/consumer-group.ts';
import type { Redis } from '../shared/redis.ts';
import { waitForRedis } from '../shared/redis.ts';
import { pause } from '../shared/wait.ts';
import type { Batches } from './batches.ts';
import type { DeliveredEntry, ProcessorEntry } from './entry.ts';
import { decodeDelivered, entryLetter, entryWithout } from './entry.ts';
import type { EntryQueue } from './entry-queue.ts';
import type { CoreEvents } from './events.ts';
import type { Groups } from './groups.ts';
import type { NewEntries, Partition } from './partition.ts';
import { readNew } from './partition.ts';

type ReaderSettings = Pick<
  Settings,
  'PROCESSOR_READ_COUNT' | 'PROCESSOR_BLOCK_MS' | 'PROCESSOR_CLAIM_IDLE_MS' | 'MAX_DELIVERIES'
>;

export interface ReaderOptions {
  readonly partitions: readonly Partition[];
  readonly groups: Pick<Groups, 'restore'>;
  /** A connection of this reader's own: it blocks. */
  readonly redis: Redis;
  readonly queue: EntryQueue;
  readonly batches: Pick<Batches, 'untilWanted'>;
  readonly settings: ReaderSettings;
  readonly events: CoreEvents;
  readonly signal: AbortSignal;
}

const RETRY_MS = 200;
/** An entry that failed to complete this often may be what ends the process: it gets a transaction of its own. */
const SUSPICIOUS_DELIVERIES = 3;

export class StreamReader {
  readonly #options: ReaderOptions;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Reads until `signal` aborts. */
  async run(): Promise<void> {
    const { signal, redis, groups, events } = this.#options;
    while (!signal.aborted) {
      try {
        await waitForRedis(redis, signal);
        await groups.restore();
        for (const partition of this.#options.partitions) await this.#readPending(partition);
        while (!signal.aborted) await this.#readNew();
      } catch (error) {
        if (signal.aborted) return;
        if (isGroupMissing(error)) continue;
        events.readFailed(error);
        await pause(RETRY_MS, signal);
      }
    }
  }

  /** Takes over what dead consumers have left. */
  async claim(redis: Redis): Promise<void> {
    for (const partition of this.#options.partitions) await this.#claim(redis, partition);
  }

  async #claim(redis: Redis, partition: Partition): Promise<void> {
    const { settings, events, signal } = this.#options;
    const { PROCESSOR_CLAIM_IDLE_MS: minIdleMs, PROCESSOR_READ_COUNT: count } = settings;
    let cursor = '0-0';
    do {
      const { entries, next } = await partition.claim(redis, minIdleMs, cursor, count);
      if (entries.length > 0) events.claimed(partition.stream, entries.length);
      await this.#redelivered(partition, entries);
      cursor = next;
    } while (cursor !== '0-0' && !signal.aborted);
  }

  async #readPending(partition: Partition): Promise<void> {
    const { redis, settings, signal } = this.#options;
    let cursor: string | null = null;
    do {
      const { entries, next } = await partition.readPending(redis, cursor, settings.PROCESSOR_READ_COUNT);
      await this.#redelivered(partition, entries);
      cursor = next;
    } while (cursor !== null && !signal.aborted);
  }

  async #readNew(): Promise<void> {
    const { partitions, redis, settings, batches } = this.#options;
    const { PROCESSOR_READ_COUNT: count, PROCESSOR_BLOCK_MS: blockMs } = settings;
    const delivered = await readNew(redis, partitions, count, blockMs);
    await this.#enqueue(delivered);
    const isBehind = delivered.some(({ entries }) => entries.length === count);
    if (!isBehind) await batches.untilWanted();
  }

  async #redelivered(partition: Partition, entries: readonly DeliveredEntry[]): Promise<void> {
    if (entries.length > 0) await this.#enqueue([{ partition, entries }]);
  }

  /** Takes entries in hand and queues them in one step: what is in hand is always on its way to the database. */
  async #enqueue(delivered: readonly NewEntries[]): Promise<void> {
    const { queue, events, settings } = this.#options;
    const queued: ProcessorEntry[] = [];
    for (const { partition, entries } of delivered) {
      const fresh = entries.filter(({ id }) => !partition.inHand.has(id));
      const judged = fresh.map((entry) => judge(entry, settings.MAX_DELIVERIES));
      partition.take(judged);
      for (const entry of judged) queued.push(entry);
    }
    events.read(queued.length, countRecords(queued));
    if (queued.length > 0) await queue.push(queued);
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
