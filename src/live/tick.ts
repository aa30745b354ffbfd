/**
 * What one read of the stream has brought, on its way to the viewers: collected by topic, and written to each viewer at
 * once. A message is made once for each topic, the bytes of a topic once for all who follow it.
 *
 * Whoever begins to follow a topic calls `flush` first: what is in the snapshot is then not sent again.
 */
import type { Message, Transport } from './frames.ts';
import { joined } from './frames.ts';
import type { Outbox, Update } from './outbox.ts';
import type { Audience } from './subscriptions.ts';

/** What is new on one topic. */
class Batch {
  readonly audience: Audience;
  readonly updates: Update[] = [];
  readonly #chunks: Partial<Record<Transport, readonly Buffer[]>> = {};
  readonly #closing: Partial<Record<Transport, readonly Buffer[]>> = {};

  constructor(audience: Audience) {
    this.audience = audience;
  }

  chunks(transport: Transport): readonly Buffer[] {
    return (this.#chunks[transport] ??= joined(this.#pieces(transport)));
  }

  /** With the cursor behind, for those who follow no other topic that has news. */
  closingChunks(transport: Transport, cursor: Message): readonly Buffer[] {
    return (this.#closing[transport] ??= joined([...this.#pieces(transport), ...cursor.pieces(transport)]));
  }

  #pieces(transport: Transport): Buffer[] {
    return this.updates.flatMap(({ message }) => message.pieces(transport));
  }
}

export interface TickOptions {
  /** Where the feed is after what was collected. */
  readonly cursor: () => Message;
  /** Called for each flush: positions times viewers that were given them. */
  readonly onFanOut: (deliveries: number) => void;
}

export class Tick {
  readonly #options: TickOptions;
  #batches = new Map<string, Batch>();

  constructor(options: TickOptions) {
    this.#options = options;
  }

  add(audience: Audience, update: Update): void {
    const { key } = audience.topic;
    let batch = this.#batches.get(key);
    if (batch === undefined) this.#batches.set(key, (batch = new Batch(audience)));
    batch.updates.push(update);
  }

  /** Writes what was collected to everybody who follows it. */
  flush(): void {
    if (this.#batches.size === 0) return;
    const batches = this.#batches;
    this.#batches = new Map();
    const cursor = this.#options.cursor();
    let deliveries = 0;
    const batchesOf = new Map<{ readonly outbox: Outbox }, Batch | Batch[]>();
    for (const batch of batches.values()) {
      deliveries += batch.updates.length * batch.audience.subscriptions.size;
      for (const { viewer } of batch.audience.subscriptions) {
        const others = batchesOf.get(viewer);
        if (others === undefined) batchesOf.set(viewer, batch);
        else if (Array.isArray(others)) others.push(batch);
        else batchesOf.set(viewer, [others, batch]);
      }
    }
    for (const [{ outbox }, own] of batchesOf) {
      if (Array.isArray(own)) deliverSeveral(outbox, own, cursor);
      else outbox.deliver(own.updates, own.closingChunks(outbox.transport, cursor));
      outbox.flush();
    }
    this.#options.onFanOut(deliveries);
  }
}

function deliverSeveral(outbox: Outbox, batches: readonly Batch[], cursor: Message): void {
  for (const batch of batches) outbox.deliver(batch.updates, batch.chunks(outbox.transport));
  if (!outbox.isConflating) outbox.push(cursor.pieces(outbox.transport));
}
