/**
 * Writes batches of entries until they are stored, whatever it takes. What PostgreSQL cannot do now is tried again
 * (`db/sqlstate.ts` says how soon); what is too much for one transaction is halved, down to a record, which is tried
 * until it is stored. What it refuses for its content is halved until the bad record stands alone, and that one becomes
 * a dead letter. Its neighbours are stored.
 */
import { setTimeout } from 'node:timers/promises';
import { DatabaseError } from 'pg';
import type { Pool, PoolClient } from 'pg';
import type { Policy } from '../db/sqlstate.ts';
import { backoffMs, classify, errorCode } from '../db/sqlstate.ts';
import type { DeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import type { StoredRecord } from '../shared/contracts/record-fields.ts';
import { encodeStored } from '../shared/contracts/stored-record.ts';
import { errorMessage } from '../shared/errors.ts';
import type { Progress } from '../shared/progress.ts';
import type { PositionRow } from './copy-rows.ts';
import { POSITION_COLUMNS } from './copy-rows.ts';
import type { Device, Devices } from './devices.ts';
import type { ProcessorEntry } from './entry.ts';
import { originOf } from './entry.ts';
import type { CoreEvents } from './events.ts';
import { Repeats } from './repeats.ts';
import type { Stored } from './store.ts';
import { storePositions } from './store.ts';

interface WriterOptions {
  readonly pool: Pool;
  readonly devices: Devices;
  readonly events: CoreEvents;
  /** Told of every transaction. */
  readonly progress: Pick<Progress, 'step' | 'failed'>;
  /** Longest time of one transaction, milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A record with the entry that brought it. */
interface Item {
  readonly entry: ProcessorEntry;
  readonly record: StoredRecord;
}

/** Attempts after which an error that may or may not be the data's fault is taken to be. */
const SUSPECT_ATTEMPTS = 4;

export class Writer {
  readonly #options: WriterOptions;
  readonly #repeats = new Repeats();

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Stores every record of the entries. Returns the dead letters of those that cannot be stored.
   * @throws the abort reason when the signal ends the attempts; what is not stored then stays pending.
   */
  async write(entries: readonly ProcessorEntry[]): Promise<DeadLetter[]> {
    const items = entries.flatMap((entry) => entry.records.map((record) => ({ entry, record })));
    const letters = items.length === 0 ? [] : await this.#storeOrHalve(items);
    const withRecords = entries.filter(({ records }) => records.length > 0);
    this.#options.events.committed(withRecords.map(({ receivedAt }) => receivedAt));
    return letters;
  }

  async #storeOrHalve(items: readonly Item[]): Promise<DeadLetter[]> {
    const refusal = await this.#storeUntilRefused(items);
    this.#options.progress.step();
    if (refusal === null) return [];
    const [first] = items;
    if (items.length === 1 && first !== undefined) return [refusedLetter(first, refusal)];
    const middle = Math.ceil(items.length / 2);
    return [...(await this.#storeOrHalve(items.slice(0, middle))), ...(await this.#storeOrHalve(items.slice(middle)))];
  }

  /** null: stored. Otherwise the error of a refusal that no retry of all of it will change. */
  async #storeUntilRefused(items: readonly Item[]): Promise<unknown> {
    const { signal, events, devices, progress } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        await this.#store(items);
        return null;
      } catch (error) {
        const policy = classify(error);
        if (isFinal(policy, attempt)) return error;
        progress.failed(error);
        const isTooMuch = policy.action === 'shrink' && items.length > 1;
        const delayMs = isTooMuch ? 0 : backoffMs(policy, attempt, Math.random);
        events.writeFailed({ code: errorCode(error) ?? 'none', meaning: policy.meaning, error, attempt, delayMs });
        devices.forget(items.map(({ entry }) => entry.deviceId));
        if (isTooMuch) return error;
        await setTimeout(delayMs, undefined, { signal });
      }
    }
  }

  async #store(items: readonly Item[]): Promise<void> {
    const { pool, signal, timeoutMs } = this.#options;
    const client = await pool.connect();
    const hangUp = (): void => { client.connection.stream.destroy(); };
    // The time-outs of single statements add up, and a frozen server keeps none of its own.
    const watchdog = globalThis.setTimeout(hangUp, timeoutMs);
    signal.addEventListener('abort', hangUp);
    try {
      const startedAt = performance.now();
      const devices = await this.#resolve(client, items);
      const stored = await storePositions(client, toRows(items, devices), this.#repeats);
      this.#report(devices, stored, performance.now() - startedAt);
      client.release();
    } catch (error) {
      // After a refusal the connection is good; after anything else it is not worth trusting.
      client.release(classify(error).action !== 'data');
      throw error;
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener('abort', hangUp);
    }
  }

  async #resolve(client: PoolClient, items: readonly Item[]): Promise<Map<string, Device>> {
    const wanted = new Map(items.map(({ entry }) => [entry.deviceId, entry.protocol]));
    return this.#options.devices.resolve(client, wanted);
  }

  #report(devices: ReadonlyMap<string, Device>, { inserted, duplicates }: Stored, durationMs: number): void {
    const byId = new Map([...devices.values()].map((device) => [device.id, device]));
    let late = 0;
    for (const { deviceId, record } of inserted) {
      const device = byId.get(deviceId);
      if (device === undefined) continue;
      if (device.newestTs !== null && record.ts < device.newestTs) late += 1;
      else device.newestTs = record.ts;
    }
    this.#options.events.written({ inserted: inserted.length, duplicates, late }, durationMs);
  }
}

function isFinal(policy: Policy, attempt: number): boolean {
  return policy.action === 'data' || (!isTriedForEver(policy) && attempt >= SUSPECT_ATTEMPTS);
}

function isTriedForEver({ action }: Policy): boolean {
  return action === 'retry' || action === 'shrink';
}

function toRows(items: readonly Item[], devices: ReadonlyMap<string, Device>): PositionRow[] {
  return items.map(({ entry, record }) => {
    const device = devices.get(entry.deviceId);
    if (device === undefined) throw new Error(`device ${entry.deviceId} was neither found nor registered`);
    return { deviceId: device.id, receivedAt: entry.receivedAt, record };
  });
}

/** The column at fault: for a COPY it is the last word of the context, in every language of the server. */
function columnOf(error: unknown): string {
  if (!(error instanceof DatabaseError)) return '';
  return error.column ?? POSITION_COLUMNS.find((column) => error.where?.endsWith(` ${column}`)) ?? '';
}

function refusedLetter({ entry, record }: Item, error: unknown): DeadLetter {
  return {
    reason: 'database_refused',
    message: `${errorCode(error) ?? 'no code'}: ${errorMessage(error)}`,
    field: columnOf(error),
    deviceId: entry.deviceId,
    protocol: entry.protocol,
    at: entry.receivedAt,
    raw: null,
    session: null,
    payload: encodeStored(record),
    origin: originOf(entry),
  };
}
