/** How many viewers are connected, in all and from one address, and one timer that tends to them all. */
import type { Settings } from '../../config/settings.ts';

/** What admission needs of a connection, WebSocket or event stream. */
export interface Admitted {
  /** `now` is monotonic, milliseconds. */
  tend(now: number): void;
  destroy(): void;
}

type AdmissionSettings = Pick<Settings, 'LIVE_WS_MAX_CONNECTIONS' | 'LIVE_WS_MAX_CONNECTIONS_PER_ADDRESS'>;

const TEND_MS = 100;

export class Admission<T extends Admitted> {
  readonly #settings: AdmissionSettings;
  readonly #connections = new Map<T, string>();
  readonly #perAddress = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(settings: AdmissionSettings) {
    this.#settings = settings;
    this.#timer = setInterval(() => {
      const now = performance.now();
      for (const connection of this.#connections.keys()) connection.tend(now);
    }, TEND_MS);
  }

  get size(): number {
    return this.#connections.size;
  }

  connections(): Iterable<T> {
    return this.#connections.keys();
  }

  /** Why no further connection from this address is taken; null: there is room. */
  refusalOf(address: string): string | null {
    const { LIVE_WS_MAX_CONNECTIONS: all, LIVE_WS_MAX_CONNECTIONS_PER_ADDRESS: perAddress } = this.#settings;
    if (this.#connections.size >= all) return `${all} viewers are connected, as many as LIVE_WS_MAX_CONNECTIONS allows`;
    if ((this.#perAddress.get(address) ?? 0) < perAddress) return null;
    return `${perAddress} viewers are connected from this address, as many as LIVE_WS_MAX_CONNECTIONS_PER_ADDRESS allows`;
  }

  add(connection: T, address: string): void {
    this.#connections.set(connection, address);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
  }

  remove(connection: T): void {
    const address = this.#connections.get(connection);
    if (address === undefined) return;
    this.#connections.delete(connection);
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
