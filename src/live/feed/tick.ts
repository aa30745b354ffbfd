/**
 * What one read of the stream has brought, on its way to the viewers: collected by topic, and written to each viewer at
 * once. A message is made once for each topic, the bytes of a topic once for all who follow it.
 *
 * Whoever begins to follow a topic calls `flush` first: what is in the snapshot is then not sent again.
 */
import type { Encoding, Message } from '../messages/frames.ts';
import { joined } from '../messages/frames.ts';
import type { Outbox, Update } from './outbox.ts';
import type { Audience } from './subscriptions.ts';

/** What is new on one topic. */
class Batch {
  readonly audience: Audience;
  readonly updates: Update[] = [];
  readonly #chunks: Partial<Record<Encoding, readonly Buffer[]>> = {};
  readonly #closing: Partial<Record<Encoding, readonly Buffer[]>> = {};

  constructor(audience: Audience) {
    this.audience = audience;
  }

  chunks(encoding: Encoding): readonly Buffer[] {
    return (this.#chunks[encoding] ??= joined(this.#pieces(encoding)));
  }

  /** With the cursor behind, for those who follow no other topic that has news. */
  closingChunks(encoding: Encoding, cursor: Message): readonly Buffer[] {
    return (this.#closing[encoding] ??= joined([...this.#pieces(encoding), ...cursor.pieces(encoding)]));
  }

  #pieces(encoding: Encoding): Buffer[] {
    return this.updates.flatMap(({ message }) => message.pieces(encoding));
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
    const batches = [...this.#batches.values()];
    this.#batches = new Map();
    const cursor = this.#options.cursor();
    const [only] = batches;
    if (batches.length === 1 && only !== undefined) deliverOne(only, cursor);
    else deliverAll(batches, cursor);
    const sizes = batches.map(({ updates, audience }) => updates.length * audience.subscriptions.size);
    this.#options.onFanOut(sizes.reduce((sum, size) => sum + size, 0));
  }
}

function deliverOne(batch: Batch, cursor: Message): void {
  for (const { viewer: { outbox } } of batch.audience.subscriptions) {
    outbox.deliver(batch.updates, batch.closingChunks(outbox.encoding, cursor));
    outbox.flush();
  }
}

/** A viewer of several topics is written to once. */
function deliverAll(batches: readonly Batch[], cursor: Message): void {
  const byViewer = new Map<Outbox, Batch[]>();
  for (const batch of batches) {
    for (const { viewer: { outbox } } of batch.audience.subscriptions) {
      const own = byViewer.get(outbox);
      if (own === undefined) byViewer.set(outbox, [batch]);
      else own.push(batch);
    }
  }
  for (const [outbox, own] of byViewer) {
    const [only] = own;
    const isOne = own.length === 1 && only !== undefined;
    if (isOne) outbox.deliver(only.updates, only.closingChunks(outbox.encoding, cursor));
    else deliverSeveral(outbox, own, cursor);
    outbox.flush();
  }
}

function deliverSeveral(outbox: Outbox, batches: readonly Batch[], cursor: Message): void {
  for (const batch of batches) outbox.deliver(batch.updates, batch.chunks(outbox.encoding));
  if (!outbox.isConflating) outbox.push(cursor.pieces(outbox.encoding));
}
