/**
 * Reads the stream for the viewers, all partitions at once, and writes what has come to each viewer at once. What comes
 * now and then is written as it comes; where more comes while it is written, the next read waits for a tick, or for as
 * long as the writing has taken. So latency grows with the load and throughput does not fall.
 *
 * Errors: a lost connection is waited for, and after it the group is made anew behind what was read, as it is when it
 * is gone.
 */
import { isGroupMissing, readGroup } from '../../shared/contracts/consumer-group.ts';
import type { RawEntry } from '../../shared/contracts/consumer-group.ts';
import { decodeEntry } from '../../shared/contracts/telemetry-stream.ts';
import type { Redis } from '../../shared/redis.ts';
import { waitForRedis } from '../../shared/redis.ts';
import { pause } from '../../shared/wait.ts';
import type { DeviceStates } from '../devices/device-states.ts';
import type { LiveEvents } from '../events.ts';
import type { Feed } from './feed.ts';
import type { StreamGroup } from './stream-group.ts';

export interface BroadcastOptions {
  /** A connection of its own: it blocks. */
  readonly redis: Redis;
  readonly streams: readonly string[];
  readonly group: string;
  readonly streamGroup: StreamGroup;
  readonly feed: Feed;
  readonly states: DeviceStates;
  readonly batchSize: number;
  readonly blockMs: number;
  readonly tickMs: number;
  readonly events: LiveEvents;
  /** The group was gone: entries may have been missed. */
  readonly onRestored: () => void;
  readonly signal: AbortSignal;
}

const RETRY_MS = 200;
const CONSUMER = 'live';

export class Broadcast {
  readonly #options: BroadcastOptions;

  constructor(options: BroadcastOptions) {
    this.#options = options;
  }

  /** Reads until `signal` aborts. */
  async run(): Promise<void> {
    const { signal, redis, events } = this.#options;
    for (let isLost = false; !signal.aborted; isLost = true) {
      try {
        await waitForRedis(redis, signal);
        if (isLost) await this.#restore();
        while (!signal.aborted) await this.#cycle();
      } catch (error) {
        if (signal.aborted) return;
        if (isGroupMissing(error)) continue;
        events.readFailed(error);
        await pause(RETRY_MS, signal);
      }
    }
  }

  /** What was delivered and never arrived is delivered again, and what comes twice is no news. */
  async #restore(): Promise<void> {
    const { streamGroup, feed, events, onRestored } = this.#options;
    if (!(await streamGroup.restore(feed.position))) return;
    events.groupRestored();
    onRestored();
  }

  async #cycle(): Promise<void> {
    const { blockMs, tickMs, feed, events, signal } = this.#options;
    const startedAt = performance.now();
    let records = await this.#read(null);
    const isBusy = records !== null;
    // The first entry of several that are appended together wakes the reader; the others are there when it asks again.
    if (records === null) {
      records = await this.#read(blockMs);
      if (records !== null) records += (await this.#read(null)) ?? 0;
    }
    feed.flush();
    events.read(records ?? 0);
    // Nothing to wait for unless more comes than one read at a time.
    if (isBusy) await pause(Math.max(tickMs, performance.now() - startedAt), signal);
  }

  /** Takes in what has come. @returns the number of records; null: nothing has */
  async #read(blockMs: number | null): Promise<number | null> {
    const { redis, streams, group, batchSize: count } = this.#options;
    const read = await readGroup(redis, { group, consumer: CONSUMER, streams, count, blockMs, noAck: true });
    if (read.length === 0) return null;
    let records = 0;
    for (const [stream, entries] of read) records += this.#take(streams.indexOf(stream), entries);
    return records;
  }

  /** @returns the number of records */
  #take(partition: number, entries: readonly RawEntry[]): number {
    const { feed, states, events } = this.#options;
    let records = 0;
    for (const [id, fields] of entries) {
      const entryId = id.toString();
      try {
        const entry = decodeEntry(fields ?? []);
        records += entry.records.length;
        feed.take(entry, { partition, entryId }, states);
      } catch (error) {
        // The processor makes a dead letter of it.
        events.entryFailed(entryId, error);
      }
    }
    return records;
  }
}
