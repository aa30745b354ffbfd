/**
 * How many devices that nobody knows may log in: so many a minute, with a burst for a fleet that is switched on at
 * once. Whoever logs in with made-up identifiers gets this many devices into the database, and no more. One that was
 * let in is remembered, so that its reconnects cost nothing until the list of devices has it.
 */
import { TokenBucket } from '../shared/token-bucket.ts';

/** A store of so many minutes' worth is full in the beginning, and fills again while few new devices come. */
const BURST_MINUTES = 10;
/** At 57 bytes each; with the default limit a storm takes two and a half hours to fill it. */
const REMEMBERED_DEVICES = 100_000;

export class RegistrationLimit {
  readonly #bucket: TokenBucket | null;
  readonly #capacity: number;
  /** In the order of their last login. */
  readonly #remembered = new Set<string>();

  /** `perMinute` 0: no limit. `now` is the monotonic clock, milliseconds, here and below. */
  constructor(perMinute: number, now: number, capacity = REMEMBERED_DEVICES) {
    this.#bucket = perMinute === 0 ? null : new TokenBucket({ perMinute, burst: BURST_MINUTES * perMinute }, now);
    this.#capacity = capacity;
  }

  /** Devices let in that the list of devices did not have yet. */
  get size(): number {
    return this.#remembered.size;
  }

  /** Whether a device that is not in the list may log in now. */
  admits(deviceId: string, now: number): boolean {
    if (this.#bucket === null) return true;
    const isRemembered = this.#remembered.delete(deviceId);
    if (!isRemembered && !this.#bucket.take(now)) return false;
    this.#remembered.add(deviceId);
    if (this.#remembered.size > this.#capacity) this.#forgetOldest();
    return true;
  }

  /** The list has come to have these. */
  forgetListed(listed: ReadonlySet<string>): void {
    for (const deviceId of this.#remembered) if (listed.has(deviceId)) this.#remembered.delete(deviceId);
  }

  #forgetOldest(): void {
    const [oldest] = this.#remembered;
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }
}
