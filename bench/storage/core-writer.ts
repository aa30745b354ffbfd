/**
 * The writer of core in this process, as core runs it: batches of entries of the stream, as many at the same time.
 */
import type { Pool } from 'pg';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { loadSettings } from '../../src/config/load.ts';
import { Devices } from '../../src/core/devices.ts';
import { decodeDelivered } from '../../src/core/entry.ts';
import { createCoreEvents } from '../../src/core/events.ts';
import { Writer } from '../../src/core/writer.ts';
import { createPool } from '../../src/db/pool.ts';
import { createCoreMetrics } from '../../src/observability/metrics/core.ts';
import { Progress } from '../../src/shared/progress.ts';
import type { Sample } from '../support/sample-entries.ts';
import { sampleEntries } from '../support/sample-entries.ts';

/** An entry as Redis delivers it. */
export type EntryFields = readonly Buffer[];

/** The entries of these records. */
export function entryFieldsOf(sample: Sample): EntryFields[] {
  return [...sampleEntries(sample)].map(({ append }) => append.fields.map((field) => Buffer.from(field)));
}

export class CoreWriter {
  readonly #settings = loadSettings({});
  readonly #pool: Pool;
  readonly #writer: Writer;

  /** Of the database at `url`, with the defaults of all settings. */
  constructor(url: string) {
    const { DEVICE_STATE_CAPACITY: capacity, POSTGRES_STATEMENT_TIMEOUT_MS: timeoutMs } = this.#settings;
    this.#pool = createPool(this.#settings, url, 'bench', () => undefined);
    const events = createCoreEvents(createCoreMetrics(new Registry()), pino({ level: 'warn' }));
    this.#writer = new Writer({
      pool: this.#pool, devices: new Devices(capacity, events), events, progress: new Progress(), timeoutMs,
      signal: new AbortController().signal,
    });
  }

  /** Decodes and stores all of it. @throws Error when one of the records becomes a dead letter. */
  async write(entries: readonly EntryFields[], recordsPerEntry: number): Promise<void> {
    const perBatch = Math.max(1, Math.floor(this.#settings.PROCESSOR_BATCH_RECORDS / recordsPerEntry));
    let next = 0;
    const loop = async (): Promise<void> => {
      while (next < entries.length) {
        const first = next;
        next += perBatch;
        const batch = entries.slice(first, next).map((fields, n) =>
          decodeDelivered({ stream: 'bench', id: `${first + n}-0`, fields, deliveries: 1 }, false));
        const letters = [...batch.flatMap(({ deadLetters }) => deadLetters), ...(await this.#writer.write(batch))];
        if (letters[0] !== undefined) throw new Error(`a dead letter: ${letters[0].message}`);
      }
    };
    await Promise.all(Array.from({ length: this.#settings.PROCESSOR_WRITERS }, loop));
  }

  async stop(): Promise<void> {
    await this.#pool.end();
  }
}
