/**
 * The consumer group of this process on every partition: made at the end of the stream, kept by a lease, removed when
 * the process stops. Groups that a dead process has left are removed too. Errors: those of Redis; each step is safe to
 * repeat.
 */
import { createGroup } from '../../shared/contracts/consumer-group.ts';
import { isLiveGroup, liveLeaseKey } from '../../shared/contracts/live-groups.ts';
import { findLastGeneratedId, groupsOf } from '../../shared/contracts/stream-info.ts';
import type { Redis } from '../../shared/redis.ts';
import type { Cursor } from '../messages/cursor.ts';
import { isAfter } from '../messages/cursor.ts';

export interface StreamGroupOptions {
  readonly redis: Redis;
  readonly streams: readonly string[];
  readonly prefix: string;
  readonly group: string;
  /** After so much silence a process counts as dead, milliseconds. */
  readonly expiryMs: number;
}

export class StreamGroup {
  readonly #options: StreamGroupOptions;

  constructor(options: StreamGroupOptions) {
    this.#options = options;
  }

  /** Joins at the end of every stream. @returns where that is */
  async join(): Promise<Cursor> {
    const { redis, streams, group } = this.#options;
    // Before the group, which is nobody's without it.
    await this.renewLease();
    return Promise.all(streams.map(async (stream) => {
      await createGroup(redis, stream, group, '$');
      const own = (await groupsOf(redis, stream)).find(({ name }) => name === group);
      return own?.lastDeliveredId ?? '0-0';
    }));
  }

  /**
   * Makes the group anew, to go on behind `cursor`: after a lost connection nobody knows what Redis has delivered to
   * it, and somebody may have removed the group, or Redis lost it.
   * @returns whether any was gone
   */
  async restore(cursor: Cursor): Promise<boolean> {
    const { streams } = this.#options;
    await this.renewLease();
    const found = await Promise.all(streams.map((stream, partition) => this.#restore(stream, cursor[partition] ?? '0-0')));
    return found.includes(false);
  }

  /** A Redis that is full takes no new key, and still lets an old one live on. */
  async renewLease(): Promise<void> {
    const { redis, group, expiryMs } = this.#options;
    const key = liveLeaseKey(group);
    if ((await redis.pexpire(key, expiryMs)) === 0) await redis.set(key, '1', 'PX', expiryMs);
  }

  /** Removes the groups of dead processes. @returns how many */
  async reap(): Promise<number> {
    const { redis, streams, prefix, group } = this.#options;
    let reaped = 0;
    for (const stream of streams) {
      for (const { name } of await groupsOf(redis, stream)) {
        if (name === group || !isLiveGroup(prefix, name) || (await redis.exists(liveLeaseKey(name))) > 0) continue;
        reaped += Number(await redis.xgroup('DESTROY', stream, name));
      }
    }
    return reaped;
  }

  /** @returns whether it was there */
  async #restore(stream: string, seen: string): Promise<boolean> {
    const { redis, group } = this.#options;
    // A stream that is younger than what was seen has begun anew: all of it is news.
    const isYounger = isAfter(seen, (await findLastGeneratedId(redis, stream)) ?? '0-0');
    // Without a moment between in which it could be read from, by a reader of the lost connection that still waits.
    const results = await redis
      .multi()
      .xgroup('CREATE', stream, group, '$', 'MKSTREAM')
      .xgroup('DESTROY', stream, group)
      .xgroup('CREATE', stream, group, isYounger ? '0' : seen)
      .exec();
    const [created, , again] = results ?? [];
    if (again?.[0] !== null) throw again?.[0] ?? new Error('no answer of Redis');
    return created?.[0] !== null;
  }

  async leave(): Promise<void> {
    const { redis, streams, group } = this.#options;
    await Promise.all(streams.map((stream) => redis.xgroup('DESTROY', stream, group)));
    await redis.del(liveLeaseKey(group));
  }
}
