/**
 * What the metrics of Odograph say, asked once a second: how far the database is behind the trackers, and how much
 * memory the process holds. Metrics that cannot be read are unknown (null) and stop nothing.
 */
import type { Sample } from '../shared/metrics-text.ts';
import { parseMetrics, total } from '../shared/metrics-text.ts';

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
    const samples = parseMetrics(page);
    const memory = sumOf(samples, MEMORY_METRIC);
    this.#lag = lagIn(samples);
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

/** The lag that metrics tell; null where the processor's are not among them. */
export function lagIn(samples: readonly Sample[]): number | null {
  const lag = sumOf(samples, LAG_METRIC);
  return lag === null ? null : lag + total(samples, PENDING_METRIC);
}

function sumOf(samples: readonly Sample[], metric: string): number | null {
  return samples.some(({ name }) => name === metric) ? total(samples, metric) : null;
}
