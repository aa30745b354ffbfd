/**
 * What the metrics of Odograph say, asked once a second: how far the database is behind the trackers, and how much
 * memory the process holds. Metrics that cannot be read are unknown (null) and stop nothing.
 */

const LAG_METRIC = 'processor_consumer_lag';
const PENDING_METRIC = 'odograph_core_pending_entries';
const MEMORY_METRIC = 'process_resident_memory_bytes';
const POLL_INTERVAL_MS = 1_000;
const POLL_TIMEOUT_MS = 2_000;

export class ServerMetrics {
  readonly #address: () => string | null;
  #timer: NodeJS.Timeout | undefined;
  #lag: number | null = null;
  #peakMemoryBytes: number | null = null;
  #polling = false;

  /** @param address where the operations port is now, with or without /metrics; null: nothing is known. */
  constructor(address: () => string | null) {
    this.#address = address;
  }

  /** Stream entries not yet in the database, as last read: not delivered, or delivered and not acknowledged. */
  get lag(): number | null {
    return this.#lag;
  }

  /** The most resident memory seen. */
  get peakMemoryBytes(): number | null {
    return this.#peakMemoryBytes;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#poll(), POLL_INTERVAL_MS);
    void this.#poll();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    const address = this.#address();
    const page = address === null ? '' : await fetchPage(address).catch(() => '');
    const memory = sumOf(page, MEMORY_METRIC);
    this.#lag = readLag(page);
    if (memory !== null) this.#peakMemoryBytes = Math.max(memory, this.#peakMemoryBytes ?? 0);
    this.#polling = false;
  }
}

async function fetchPage(address: string): Promise<string> {
  const url = new URL(address);
  if (url.pathname === '/') url.pathname = '/metrics';
  const response = await fetch(url, { signal: AbortSignal.timeout(POLL_TIMEOUT_MS) });
  return response.text();
}

/** The lag in a page of metrics in the Prometheus text format; null where the processor's metrics are not in it. */
export function readLag(page: string): number | null {
  const lag = sumOf(page, LAG_METRIC);
  return lag === null ? null : lag + (sumOf(page, PENDING_METRIC) ?? 0);
}

// name{labels} value [timestamp]
function sumOf(page: string, metric: string): number | null {
  const samples = page.matchAll(new RegExp(`^${metric}(?:\\{.*\\})? (\\S+)`, 'gm'));
  const values = Array.from(samples, ([, value]) => Number(value));
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}
