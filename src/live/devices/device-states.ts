/**
 * The newest states of devices from the database, where this process does not know them yet. Those that are asked for
 * in one moment are read with one query, one query at a time. Never rejects: a database that does not answer in time
 * is `unavailable`, and is left alone for a moment.
 */
import type { Pool } from 'pg';
import { pause } from '../../shared/wait.ts';
import type { DeviceState } from './database.ts';
import { readStates } from './database.ts';
import type { KnownDevices } from './known-devices.ts';

export type StatesResult = 'ready' | 'unavailable';

export interface DeviceStatesOptions {
  readonly pool: Pool;
  readonly known: KnownDevices;
  /** Longest wait for an answer, milliseconds. */
  readonly timeoutMs: number;
  /** Takes in what the database says of a device. */
  readonly onState: (state: DeviceState) => void;
  readonly onRead: () => void;
  readonly onFailed: (error: unknown) => void;
}

interface Request {
  /** Identifiers, or all devices that there are. */
  wanted: Set<string> | 'all';
  readonly done: ReturnType<typeof Promise.withResolvers<StatesResult>>;
}

const REST_MS = 1_000;

export class DeviceStates {
  readonly #options: DeviceStatesOptions;
  /** What the next query asks for. */
  #next: Request | null = null;
  #isAsking = false;
  #restUntil = Number.NEGATIVE_INFINITY;
  /** Somebody has waited in vain for the query that is under way. */
  #isOverdue = false;
  /** As many devices had been forgotten when all were read; null: they were not. */
  #allReadAt: number | null = null;
  #doubts = 0;

  constructor(options: DeviceStatesOptions) {
    this.#options = options;
  }

  /** Resolves when the newest state of each of the devices is known, or cannot be had. */
  async ensure(deviceIds: Iterable<string> | 'all'): Promise<StatesResult> {
    const missing = deviceIds === 'all' ? 'all' as const : this.#unknown(deviceIds);
    if (missing === 'all' ? this.#allReadAt === this.#options.known.forgotten : missing.length === 0) return 'ready';
    if (this.#isOverdue || performance.now() < this.#restUntil) return 'unavailable';
    const overdue = new AbortController();
    const timeout = pause(this.#options.timeoutMs, overdue.signal).then((): 'overdue' => 'overdue');
    const result = await Promise.race([this.#request(missing), timeout]);
    overdue.abort();
    if (result !== 'overdue') return result;
    this.#isOverdue = true;
    return 'unavailable';
  }

  /** Nothing is known for certain any more. */
  doubtAll(): void {
    this.#allReadAt = null;
    this.#doubts += 1;
  }

  #unknown(deviceIds: Iterable<string>): string[] {
    return [...deviceIds].filter((deviceId) => this.#options.known.get(deviceId)?.verified !== true);
  }

  #request(missing: readonly string[] | 'all'): Promise<StatesResult> {
    this.#next ??= { wanted: new Set(), done: Promise.withResolvers<StatesResult>() };
    const next = this.#next;
    if (missing === 'all') next.wanted = 'all';
    else if (next.wanted !== 'all') for (const deviceId of missing) next.wanted.add(deviceId);
    if (!this.#isAsking) {
      this.#isAsking = true;
      setImmediate(() => void this.#askAll());
    }
    return next.done.promise;
  }

  async #askAll(): Promise<void> {
    for (let request = this.#next; request !== null; request = this.#next) {
      this.#next = null;
      request.done.resolve(await this.#ask(request.wanted));
    }
    this.#isAsking = false;
  }

  async #ask(wanted: Set<string> | 'all'): Promise<StatesResult> {
    const { pool, onState, onRead, onFailed } = this.#options;
    if (performance.now() < this.#restUntil) return 'unavailable';
    const doubts = this.#doubts;
    try {
      const states = await readStates(pool, wanted === 'all' ? 'all' : [...wanted]);
      const isComplete = this.#takeIn(states, onState);
      if (wanted === 'all' && doubts === this.#doubts) this.#allReadAt = this.#options.known.forgotten;
      onRead();
      if (!isComplete) onFailed(new Error('there are more devices than DEVICE_STATE_CAPACITY'));
      return isComplete ? 'ready' : 'unavailable';
    } catch (error) {
      this.#restUntil = performance.now() + REST_MS;
      onFailed(error);
      return 'unavailable';
    } finally {
      this.#isOverdue = false;
    }
  }

  /** @returns false: there are so many that some were forgotten for the others */
  #takeIn(states: readonly DeviceState[], onState: (state: DeviceState) => void): boolean {
    for (const state of states) onState(state);
    return states.length <= this.#options.known.capacity;
  }
}
