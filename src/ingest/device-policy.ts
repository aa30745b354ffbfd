/**
 * Which devices may log in. The list is core's, published in Redis; ingest reads it in the background and goes on with
 * the last one it knows while Redis is away. Under `reject` nothing is let in before a list was read once; under
 * `accept` devices that are not in the list are let in at a limited rate, since each becomes a row of the database.
 *
 * Memory: a set of the identifiers, 53 MB for a million devices. It is read in pieces, so that trackers are answered
 * meanwhile.
 */
import type { Settings } from '../config/settings.ts';
import { DEVICE_LIST_DIGEST_KEY, DISABLED_DEVICES_KEY, ENABLED_DEVICES_KEY } from '../shared/contracts/device-list.ts';
import type { Redis } from '../shared/redis.ts';
import { repeat } from '../shared/retry.ts';
import type { IngestEvents } from './events.ts';
import { RegistrationLimit } from './registration-limit.ts';

export type Refusal = 'unknown_device' | 'device_disabled' | 'device_list_unavailable' | 'registration_limited';

interface PolicyOptions {
  readonly redis: Redis;
  readonly settings: Pick<Settings, 'INGEST_UNKNOWN_DEVICES' | 'INGEST_NEW_DEVICES_PER_MINUTE' | 'DEVICE_LIST_REFRESH_MS'>;
  readonly events: IngestEvents;
  /** Called after the list has changed: who is connected may no longer be allowed. */
  readonly onChange: () => void;
}

/** Identifiers asked for at once. */
const SCAN_COUNT = 2_000;

/** The members of a set of any size, without keeping Redis or this process from anything else for long. */
async function membersOf(redis: Redis, key: string): Promise<Set<string>> {
  const members = new Set<string>();
  let cursor = '0';
  do {
    const [next, some] = await redis.sscan(key, cursor, 'COUNT', SCAN_COUNT);
    for (const member of some) members.add(member);
    cursor = next;
  } while (cursor !== '0');
  return members;
}

export class DevicePolicy {
  readonly #options: PolicyOptions;
  readonly #registrations: RegistrationLimit;
  readonly #stopping = new AbortController();
  #enabled: ReadonlySet<string> = new Set();
  #disabled: ReadonlySet<string> = new Set();
  #digest: string | null = null;
  #isStale = false;

  constructor(options: PolicyOptions) {
    this.#options = options;
    this.#registrations = new RegistrationLimit(options.settings.INGEST_NEW_DEVICES_PER_MINUTE, performance.now());
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

  /** null: a device that is logged in may stay. */
  refusalOf(deviceId: string): Refusal | null {
    if (this.#disabled.has(deviceId)) return 'device_disabled';
    if (this.#options.settings.INGEST_UNKNOWN_DEVICES === 'accept' || this.#enabled.has(deviceId)) return null;
    return this.#digest === null ? 'device_list_unavailable' : 'unknown_device';
  }

  /** null: the device is logged in herewith. To ask costs a new device its place in the limit of new devices. */
  refusalAtLogin(deviceId: string): Refusal | null {
    const refusal = this.refusalOf(deviceId);
    if (refusal !== null || this.#enabled.has(deviceId)) return refusal;
    const isAdmitted = this.#registrations.admits(deviceId, performance.now());
    this.#options.events.newDevices(this.#registrations.size);
    return isAdmitted ? null : 'registration_limited';
  }

  async #refresh(): Promise<void> {
    const { redis, events } = this.#options;
    const digest = await redis.get(DEVICE_LIST_DIGEST_KEY);
    this.#isStale = false;
    if (digest === null || digest === this.#digest) return;
    const enabled = await membersOf(redis, ENABLED_DEVICES_KEY);
    const disabled = await membersOf(redis, DISABLED_DEVICES_KEY);
    // Replaced while it was read: parts of two lists are no list. It is read again the next time.
    if ((await redis.get(DEVICE_LIST_DIGEST_KEY)) !== digest) return;
    this.#enabled = enabled;
    this.#disabled = disabled;
    this.#digest = digest;
    this.#registrations.forgetListed(enabled);
    events.deviceListRead(enabled.size, disabled.size);
    events.newDevices(this.#registrations.size);
    this.#options.onChange();
  }

  /** Says so once each time that the list can no longer be read. */
  #failed(error: unknown): void {
    if (!this.#isStale) this.#options.events.deviceListStale(error);
    this.#isStale = true;
  }
}
