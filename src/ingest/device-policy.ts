/**
 * Which devices may log in. The list is core's, published in Redis; ingest reads it in the background and goes on with
 * the last one it knows while Redis is away. Under `reject` nothing is let in before a list was read once.
 */
import type { Settings } from '../config/settings.ts';
import { DEVICE_LIST_DIGEST_KEY, DISABLED_DEVICES_KEY, ENABLED_DEVICES_KEY } from '../shared/contracts/device-list.ts';
import type { Redis } from '../shared/redis.ts';
import { repeat } from '../shared/retry.ts';
import type { IngestEvents } from './events.ts';

export type Refusal = 'unknown_device' | 'device_disabled' | 'device_list_unavailable';

interface PolicyOptions {
  readonly redis: Redis;
  readonly settings: Pick<Settings, 'INGEST_UNKNOWN_DEVICES' | 'DEVICE_LIST_REFRESH_MS'>;
  readonly events: IngestEvents;
  /** Called after the list has changed: who is connected may no longer be allowed. */
  readonly onChange: () => void;
}

export class DevicePolicy {
  readonly #options: PolicyOptions;
  readonly #stopping = new AbortController();
  #enabled: ReadonlySet<string> = new Set();
  #disabled: ReadonlySet<string> = new Set();
  #digest: string | null = null;
  #isStale = false;

  constructor(options: PolicyOptions) {
    this.#options = options;
  }

  /** Reads the list once if Redis has one, then keeps it fresh. */
  async start(): Promise<void> {
    const what = 'reading the device list';
    const onError = (_what: string, error: unknown): void => { this.#failed(error); };
    await this.#refresh().catch((error: unknown) => { this.#failed(error); });
    const intervalMs = this.#options.settings.DEVICE_LIST_REFRESH_MS;
    void repeat({ what, intervalMs, signal: this.#stopping.signal, onError }, () => this.#refresh());
  }

  /** Reads no more. A read under way is not waited for. */
  stop(): void {
    this.#stopping.abort();
  }

  /** null: the device may log in. */
  refusalOf(deviceId: string): Refusal | null {
    if (this.#disabled.has(deviceId)) return 'device_disabled';
    if (this.#options.settings.INGEST_UNKNOWN_DEVICES === 'accept' || this.#enabled.has(deviceId)) return null;
    return this.#digest === null ? 'device_list_unavailable' : 'unknown_device';
  }

  async #refresh(): Promise<void> {
    const { redis, events, settings } = this.#options;
    const digest = await redis.get(DEVICE_LIST_DIGEST_KEY);
    this.#isStale = false;
    if (digest === null || digest === this.#digest) return;
    // Under `accept` only the disabled ones are asked about, and they are few.
    const enabled = settings.INGEST_UNKNOWN_DEVICES === 'reject' ? await redis.smembers(ENABLED_DEVICES_KEY) : [];
    const disabled = await redis.smembers(DISABLED_DEVICES_KEY);
    this.#enabled = new Set(enabled);
    this.#disabled = new Set(disabled);
    this.#digest = digest;
    events.deviceListRead(this.#enabled.size, this.#disabled.size);
    this.#options.onChange();
  }

  /** Says so once each time that the list can no longer be read. */
  #failed(error: unknown): void {
    if (!this.#isStale) this.#options.events.deviceListStale(error);
    this.#isStale = true;
  }
}
