/**
 * One partition of the telemetry stream as one consumer of the group `processor` sees it: the commands, and which
 * entries are in hand. In hand is what was delivered to this process and not yet acknowledged; an entry that Redis
 * delivers again while it is in hand is not taken twice.
 */
import { PROCESSOR_GROUP } from '../shared/contracts/telemetry-stream.ts';
import type { Redis } from '../shared/redis.ts';
import type { DeliveredEntry } from './entry.ts';

type RawEntry = [id: Buffer, fields: Buffer[] | null];
type RawRead = [stream: Buffer, entries: RawEntry[]][] | null;

const RENEWAL_CHUNK = 500;

/** The error of Redis for a group that does not exist, or a stream that does not. */
export function isGroupMissing(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError' && error.message.startsWith('NOGROUP');
}

export class Partition {
  readonly stream: string;
  readonly #consumer: string;
  readonly #inHand = new Set<string>();

  constructor(stream: string, consumer: string) {
    this.stream = stream;
    this.#consumer = consumer;
  }

  get inHand(): ReadonlySet<string> {
    return this.#inHand;
  }

  /** Creates the group at the beginning of the stream; false: it was there. */
  async createGroup(redis: Redis): Promise<boolean> {
    try {
      await redis.xgroup('CREATE', this.stream, PROCESSOR_GROUP, '0', 'MKSTREAM');
      return true;
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('BUSYGROUP')) return false;
      throw error;
    }
  }

  /** New entries; waits up to `blockMs` for the first. */
  async readNew(redis: Redis, count: number, blockMs: number): Promise<DeliveredEntry[]> {
    const reply = await redis.callBuffer(
      'XREADGROUP', 'GROUP', PROCESSOR_GROUP, this.#consumer, 'COUNT', count, 'BLOCK', blockMs, 'STREAMS', this.stream, '>',
    );
    return this.#take(reply as RawRead);
  }

  /** Entries delivered to this consumer before, after `cursor`, that are not in hand; `next` is null at the end. */
  async readPending(redis: Redis, cursor: string, count: number): Promise<{ entries: DeliveredEntry[]; next: string | null }> {
    const reply = (await redis.callBuffer(
      'XREADGROUP', 'GROUP', PROCESSOR_GROUP, this.#consumer, 'COUNT', count, 'STREAMS', this.stream, cursor,
    )) as RawRead;
    const last = reply?.[0]?.[1].at(-1)?.[0].toString() ?? null;
    return { entries: this.#take(reply), next: last };
  }

  /** Takes over entries that their consumer has not touched for `minIdleMs`, from `cursor` on; `next` is `0-0` at the end. */
  async claim(redis: Redis, minIdleMs: number, cursor: string, count: number): Promise<{ entries: DeliveredEntry[]; next: string }> {
    const [next, entries] = (await redis.callBuffer(
      'XAUTOCLAIM', this.stream, PROCESSOR_GROUP, this.#consumer, minIdleMs, cursor, 'COUNT', count,
    )) as [Buffer, RawEntry[], ...unknown[]];
    return { entries: this.#take([[Buffer.from(this.stream), entries]]), next: next.toString() };
  }

  /** How often each of these entries was delivered, by id. */
  async deliveries(redis: Redis, entries: readonly DeliveredEntry[]): Promise<Map<string, number>> {
    const [first, last] = [entries[0], entries.at(-1)];
    if (first === undefined || last === undefined) return new Map();
    const rows = (await redis.call(
      'XPENDING', this.stream, PROCESSOR_GROUP, first.id, last.id, this.#inHand.size + entries.length, this.#consumer,
    )) as [id: string, consumer: string, idleMs: number, deliveries: number][];
    return new Map(rows.map(([id, , , deliveries]) => [id, deliveries]));
  }

  /** Tells the group that the entries in hand are being worked on, so that nobody claims them. */
  async renew(redis: Redis): Promise<void> {
    const ids = [...this.#inHand];
    for (let start = 0; start < ids.length; start += RENEWAL_CHUNK) {
      const chunk = ids.slice(start, start + RENEWAL_CHUNK);
      await redis.call('XCLAIM', this.stream, PROCESSOR_GROUP, this.#consumer, 0, ...chunk, 'JUSTID');
    }
  }

  /** Acknowledges entries: to be called after COMMIT, and never before. */
  async acknowledge(redis: Redis, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await redis.xack(this.stream, PROCESSOR_GROUP, ...ids);
    for (const id of ids) this.#inHand.delete(id);
  }

  #take(reply: RawRead): DeliveredEntry[] {
    const entries: DeliveredEntry[] = [];
    for (const [rawId, fields] of reply?.[0]?.[1] ?? []) {
      const id = rawId.toString();
      if (this.#inHand.has(id)) continue;
      this.#inHand.add(id);
      entries.push({ stream: this.stream, id, fields });
    }
    return entries;
  }
}
