/**
 * Acknowledges entries in Redis, after their records are committed and their dead letters are durable, and never
 * before. Tries until Redis takes it: until then the entries stay in hand, and a crash only means that they are
 * delivered again and change no row.
 */
import type { DeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import { DEAD_LETTER_STREAM, encodeDeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import type { Redis } from '../shared/redis.ts';
import { waitForRedis } from '../shared/redis.ts';
import { inOneWrite } from '../shared/redis-command.ts';
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
    await this.#untilDone(() => this.#acknowledge(Map.groupBy(entries, ({ stream }) => stream)));
  }

  async #publish(deadLetters: readonly DeadLetter[]): Promise<void> {
    const pipeline = this.#options.redis.pipeline();
    for (const letter of deadLetters) pipeline.call('XADD', DEAD_LETTER_STREAM, '*', ...encodeDeadLetter(letter));
    for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
  }

  /** One write for all streams; what is acknowledged twice after a failure halfway counts once. */
  async #acknowledge(byStream: ReadonlyMap<string, readonly ProcessorEntry[]>): Promise<void> {
    const { redis, partitions, events } = this.#options;
    const acknowledge = async (stream: string, own: readonly ProcessorEntry[]): Promise<number> =>
      await partitions.get(stream)?.acknowledge(redis, own.map(({ id }) => id)) ?? 0;
    const sent = inOneWrite(redis, () => [...byStream].map(([stream, own]) => acknowledge(stream, own)));
    const outcomes = await Promise.allSettled(sent);
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') events.acknowledged(outcome.value);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
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
