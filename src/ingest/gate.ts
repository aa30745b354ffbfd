/**
 * Everything that connections of all listeners share: who is connected, how many from where, which device speaks on
 * which connection, and one timer that ends what has been silent too long. Two connections of one device: the newer
 * wins, the older is closed.
 */
import { pause } from '../shared/wait.ts';
import type { Settings } from '../config/settings.ts';
import type { EndReason } from './events.ts';
import type { DevicePolicy, Refusal } from './device-policy.ts';

/** What the gate needs of a connection. */
export interface GatedConnection {
  readonly address: string;
  readonly deviceId: string | null;
  close(reason: EndReason): void;
  /** Closes the connection if a time limit has passed. `now` is the monotonic clock, milliseconds. */
  checkTimeouts(now: number): void;
  /** Reads on or pauses, after the stream has come to a standstill or has caught up. */
  adjustFlow(): void;
}

type GateSettings = Pick<Settings, 'INGEST_MAX_CONNECTIONS' | 'INGEST_MAX_CONNECTIONS_PER_ADDRESS'>;

const SWEEP_INTERVAL_MS = 250;
const CLOSE_POLL_MS = 10;

export class Gate {
  readonly #settings: GateSettings;
  readonly #connections = new Set<GatedConnection>();
  readonly #perAddress = new Map<string, number>();
  readonly #byDevice = new Map<string, GatedConnection>();
  readonly #sweep: NodeJS.Timeout;

  constructor(settings: GateSettings) {
    this.#settings = settings;
    this.#sweep = setInterval(() => {
      const now = performance.now();
      for (const connection of this.#connections) connection.checkTimeouts(now);
    }, SWEEP_INTERVAL_MS);
  }

  /** Why no further connection from this address is taken; null: there is room. */
  refusalOf(address: string): string | null {
    const { INGEST_MAX_CONNECTIONS: all, INGEST_MAX_CONNECTIONS_PER_ADDRESS: perAddress } = this.#settings;
    if (this.#connections.size >= all) return `${all} connections are open, as many as INGEST_MAX_CONNECTIONS allows`;
    if ((this.#perAddress.get(address) ?? 0) < perAddress) return null;
    return `${perAddress} connections from this address are open, as many as INGEST_MAX_CONNECTIONS_PER_ADDRESS allows`;
  }

  add(connection: GatedConnection): void {
    this.#connections.add(connection);
    this.#perAddress.set(connection.address, (this.#perAddress.get(connection.address) ?? 0) + 1);
  }

  remove(connection: GatedConnection): void {
    if (!this.#connections.delete(connection)) return;
    const left = (this.#perAddress.get(connection.address) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(connection.address);
    else this.#perAddress.set(connection.address, left);
    if (connection.deviceId !== null) this.release(connection.deviceId, connection);
  }

  /** From now on this connection speaks for the device; another that did is closed. */
  claim(deviceId: string, connection: GatedConnection): void {
    const older = this.#byDevice.get(deviceId);
    this.#byDevice.set(deviceId, connection);
    if (older !== undefined && older !== connection) older.close('superseded');
  }

  /** The connection no longer speaks for the device. */
  release(deviceId: string, connection: GatedConnection): void {
    if (this.#byDevice.get(deviceId) === connection) this.#byDevice.delete(deviceId);
  }

  /** Lets every connection read on or pause. */
  adjustFlow(): void {
    for (const connection of this.#connections) connection.adjustFlow();
  }

  /** Closes the connections of devices that the policy no longer lets in. */
  closeRefused(policy: Pick<DevicePolicy, 'refusalOf'>): void {
    for (const [deviceId, connection] of this.#byDevice) {
      const refusal: Refusal | null = policy.refusalOf(deviceId);
      if (refusal !== null) connection.close(refusal);
    }
  }

  /**
   * Closes all, and resolves when the last is gone or `deadline` aborts. Connections that outlive it are for the caller
   * to destroy.
   */
  async closeAll(reason: EndReason, deadline: AbortSignal): Promise<void> {
    for (const connection of this.#connections) connection.close(reason);
    while (this.#connections.size > 0 && !deadline.aborted) {
      await pause(CLOSE_POLL_MS, deadline);
    }
  }

  stop(): void {
    clearInterval(this.#sweep);
  }
}
