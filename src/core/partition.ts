/**
 * One partition of the telemetry stream as one consumer of the group `processor` sees it: the commands, and which
 * entries are in hand. In hand is what waits in this process to be stored and acknowledged; an entry that is delivered
 * again meanwhile is not taken twice. Errors: those of Redis.
 */
import type { RawEntry } from '../shared/contracts/consumer-group.ts';
import { createGroup, readGroup } from '../shared/contracts/consumer-group.ts';
import { PROCESSOR_GROUP } from '../shared/contracts/telemetry-stream.ts';
import type { Redis } from '../shared/redis.ts';
import { sendCommand } from '../shared/redis-command.ts';
import type { DeliveredEntry } from './entry.ts';

/** Redis before version 7 has a null in place of an entry that was deleted from the stream. */
type RawEntries = (RawEntry | null)[];
type PendingRow = [id: string, consumer: string, idleMs: number, deliveries: number];

/** New entries of a partition. */
export interface NewEntries {
  readonly partition: Partition;
  readonly entries: readonly DeliveredEntry[];
}

const RENEWAL_CHUNK = 500;

function fieldsById(entries: RawEntries): Map<string, Buffer[] | null> {
  return new Map(entries.filter((entry) => entry !== null).map(([id, fields]) => [id.toString(), fields]));
}

export class Partition {
  readonly stream: string;
  readonly #consumer: string;
  readonly #inHand = new Set<string>();

  constructor(stream: string, consumer: string) {
    this.stream = stream;
    this.#consumer = consumer;
  }

  get consumer(): string {
    return this.#consumer;
  }

  get inHand(): ReadonlySet<string> {
    return this.#inHand;
  }

  /** From now on these are in hand, until they are acknowledged. */
  take(entries: readonly { readonly id: string }[]): void {
    for (const { id } of entries) this.#inHand.add(id);
  }

  /** Creates the group at the beginning of the stream; false: it was there. */
  createGroup(redis: Redis): Promise<boolean> {
    return createGroup(redis, this.stream, PROCESSOR_GROUP, '0');
  }

  /**
   * Entries delivered to this consumer before, after `cursor`, that are not in hand; `next` is null at the end. Those
   * in hand are not delivered again, which would count as a failure to complete them.
   */
  async readPending(
    redis: Redis,
    cursor: string | null,
    count: number,
  ): Promise<{ entries: DeliveredEntry[]; next: string | null }> {
    const rows = await this.#pending(redis, cursor === null ? '-' : `(${cursor}`, '+', count);
    const wanted = rows.filter(([id]) => !this.#inHand.has(id));
    const fields = await this.#deliverAgain(redis, wanted.map(([id]) => id));
    const entries = wanted.map(([id, , , deliveries]) => this.#delivered(id, fields.get(id) ?? null, deliveries + 1));
    return { entries, next: rows.at(-1)?.[0] ?? null };
  }

  /**
   * Takes over entries that their consumer has not touched for `minIdleMs`, from `cursor` on, and that are not in hand;
   * `next` is `0-0` at the end.
   */
  async claim(
    redis: Redis,
    minIdleMs: number,
    cursor: string,
    count: number,
  ): Promise<{ entries: DeliveredEntry[]; next: string }> {
    const args = [this.stream, PROCESSOR_GROUP, this.#consumer, minIdleMs, cursor, 'COUNT', count];
    const [next, raw] = (await redis.callBuffer('XAUTOCLAIM', ...args)) as [Buffer, RawEntries, ...unknown[]];
    const claimed = [...fieldsById(raw)].filter(([id]) => !this.#inHand.has(id));
    const deliveries = await this.#deliveries(redis, claimed.map(([id]) => id));
    const entries = claimed.map(([id, fields]) => this.#delivered(id, fields, deliveries.get(id) ?? 1));
    return { entries, next: next.toString() };
  }

  /** Tells the group that the entries in hand are being worked on, so that nobody claims them. */
  async renew(redis: Redis): Promise<void> {
    const ids = [...this.#inHand];
    for (let start = 0; start < ids.length; start += RENEWAL_CHUNK) {
      const chunk = ids.slice(start, start + RENEWAL_CHUNK);
      await redis.call('XCLAIM', this.stream, PROCESSOR_GROUP, this.#consumer, 0, ...chunk, 'JUSTID');
    }
  }

  /**
   * Acknowledges entries: to be called after COMMIT, and never before. They are no longer in hand.
   * @returns how many were pending: none where the group is gone, or another consumer was faster
   */
  async acknowledge(redis: Redis, ids: readonly string[]): Promise<number> {
    const acknowledged = ids.length === 0 ? 0 : Number(await sendCommand(redis, 'XACK', [this.stream, PROCESSOR_GROUP, ...ids]));
    for (const id of ids) this.#inHand.delete(id);
    return acknowledged;
  }

  #delivered(id: string, fields: Buffer[] | null, deliveries: number): DeliveredEntry {
    return { stream: this.stream, id, fields, deliveries };
  }

  async #pending(redis: Redis, start: string, end: string, count: number): Promise<PendingRow[]> {
    const rows = await redis.call('XPENDING', this.stream, PROCESSOR_GROUP, start, end, count, this.#consumer);
    return rows as PendingRow[];
  }

  /** Fields by id; an entry that was deleted from the stream is not among them. */
  async #deliverAgain(redis: Redis, ids: readonly string[]): Promise<Map<string, Buffer[] | null>> {
    if (ids.length === 0) return new Map();
    const reply = await redis.callBuffer('XCLAIM', this.stream, PROCESSOR_GROUP, this.#consumer, 0, ...ids);
    return fieldsById(reply as RawEntries);
  }

  /** How often each of these entries was delivered, by id. */
  async #deliveries(redis: Redis, ids: readonly string[]): Promise<Map<string, number>> {
    const [first, last] = [ids[0], ids.at(-1)];
    if (first === undefined || last === undefined) return new Map();
    const rows = await this.#pending(redis, first, last, this.#inHand.size + ids.length);
    return new Map(rows.map(([id, , , deliveries]) => [id, deliveries]));
  }
}

/** New entries of these partitions of one consumer, at most `count` of each; waits up to `blockMs` for the first. */
export async function readNew(
  redis: Redis, partitions: readonly Partition[], count: number, blockMs: number,
): Promise<NewEntries[]> {
  const consumer = partitions[0]?.consumer ?? '';
  const read = { group: PROCESSOR_GROUP, consumer, streams: partitions.map(({ stream }) => stream), count, blockMs };
  const delivered = await readGroup(redis, read);
  return delivered.flatMap(([stream, raw]) => {
    const partition = partitions.find((candidate) => candidate.stream === stream);
    if (partition === undefined) return [];
    const entries = raw.map(([id, fields]) => ({ stream, id: id.toString('latin1'), fields, deliveries: 1 }));
    return [{ partition, entries }];
  });
}
