/**
 * How much of Redis the cached answers of this process take. That Redis holds the telemetry stream too, and refuses
 * appends when it is full, so what is kept beside it has a bound. Pure: the time is an argument.
 */

interface Stored {
  readonly bytes: number;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** What Redis needs for an entry beside its bytes, roughly. */
const OVERHEAD_BYTES = 200;

export class StoredBytes {
  readonly #limit: number;
  readonly #entries = new Map<string, Stored>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Notes an entry that is about to be stored, unless there is no room for it. @returns whether there is */
  admit(key: string, valueBytes: number, ttlMs: number, now: number): boolean {
    this.#remove(key);
    const bytes = valueBytes + key.length + OVERHEAD_BYTES;
    if (this.#bytes + bytes > this.#limit) this.#dropExpired(now);
    if (this.#bytes + bytes > this.#limit) return false;
    this.#entries.set(key, { bytes, expiresAt: now + ttlMs });
    this.#bytes += bytes;
    return true;
  }

  #dropExpired(now: number): void {
    for (const [key, { expiresAt }] of this.#entries) if (expiresAt <= now) this.#remove(key);
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
