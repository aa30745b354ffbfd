/**
 * Acknowledges entries in Redis, after their records are committed and their dead letters are durable, and never
 * before. Tries until Redis takes it: until then the entries stay in hand, and a crash only means that they are
 * delivered again and change no row.
 */
import type { DeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import { DEAD_LETTER_STREAM, encodeDeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import type { Redis } from '../shared/redis.ts';
import { waitForRedis } from '../shared/redis.ts';
import { untilDone } from '../shared/retry.ts';
import type { ProcessorEntry } from './entry.ts';
import type { CoreEvents } from './events.ts';
import type { Partition } from './partition.ts';

interface AcknowledgerOptions {
  readonly redis: Redis;
  readonly partitions: ReadonlyMap<string, Partition>;
  readonly events: CoreEvents;
  readonly signal: AbortSignal;
}

export class Acknowledger {
  readonly #options: AcknowledgerOptions;

  constructor(options: AcknowledgerOptions) {
    this.#options = options;
  }

  /** Resolves when the dead letters are durable and the entries acknowledged, or when the signal ends the attempts. */
  async settle(entries: readonly ProcessorEntry[], deadLetters: readonly DeadLetter[]): Promise<void> {
    if (deadLetters.length > 0 && !(await this.#untilDone(() => this.#publish(deadLetters)))) return;
    this.#options.events.deadLettered(deadLetters);
    const idsByStream = Map.groupBy(entries, ({ stream }) => stream);
    for (const [stream, own] of idsByStream) {
      const partition = this.#options.partitions.get(stream);
      if (partition === undefined) continue;
      const ids = own.map(({ id }) => id);
      await this.#untilDone(() => this.#acknowledge(partition, ids));
    }
  }

  async #publish(deadLetters: readonly DeadLetter[]): Promise<void> {
    const pipeline = this.#options.redis.pipeline();
    for (const letter of deadLetters) pipeline.call('XADD', DEAD_LETTER_STREAM, '*', ...encodeDeadLetter(letter));
    for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
  }

  async #acknowledge(partition: Partition, ids: readonly string[]): Promise<void> {
    this.#options.events.acknowledged(await partition.acknowledge(this.#options.redis, ids));
  }

  /** With Redis away the attempt fails at once, so it waits for Redis first. */
  #untilDone(attempt: () => Promise<void>): Promise<boolean> {
    const { redis, events, signal } = this.#options;
    return untilDone({ what: 'acknowledging stream entries', signal, onError: events.upkeepFailed }, async () => {
      await waitForRedis(redis, signal);
      signal.throwIfAborted();
      await attempt();
    });
  }
}
