/**
 * The consumer groups of all partitions: created at the beginning of the streams, and again when they are gone, which
 * means that Redis has lost data or that somebody has deleted them. What is gone is gone in several partitions at
 * once, and is reported once. Errors: those of Redis.
 */
import type { Redis } from '../shared/redis.ts';
import { waitForRedis } from '../shared/redis.ts';
import type { CoreEvents } from './events.ts';
import type { Partition } from './partition.ts';

interface GroupsOptions {
  readonly redis: Redis;
  readonly partitions: readonly Partition[];
  readonly events: Pick<CoreEvents, 'groupCreated' | 'groupsLost'>;
  readonly signal: AbortSignal;
}

export class Groups {
  readonly #options: GroupsOptions;
  #restoring: Promise<void> | null = null;

  constructor(options: GroupsOptions) {
    this.#options = options;
  }

  /** Before the first read: that a group is not there is no loss. */
  async create(): Promise<void> {
    for (const stream of await this.#createMissing()) this.#options.events.groupCreated(stream);
  }

  /** After the first read: that a group is not there is a loss. Readers that ask at the same time share one attempt. */
  async restore(): Promise<void> {
    this.#restoring ??= this.#restore();
    try {
      await this.#restoring;
    } finally {
      this.#restoring = null;
    }
  }

  async #restore(): Promise<void> {
    const { redis, signal, events } = this.#options;
    await waitForRedis(redis, signal);
    if (signal.aborted) return;
    const lost = await this.#createMissing();
    if (lost.length > 0) events.groupsLost(lost);
  }

  /** @returns the streams whose group was missing */
  async #createMissing(): Promise<string[]> {
    const { redis, partitions } = this.#options;
    const missing: string[] = [];
    for (const partition of partitions) if (await partition.createGroup(redis)) missing.push(partition.stream);
    return missing;
  }
}
