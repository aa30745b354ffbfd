/** What the demo shows of a running system, read from its metrics. */
import { parseMetrics, total } from '../shared/metrics-text.ts';

export interface Figures {
  /** When they were read, epoch milliseconds. */
  readonly at: number;
  /** Records acknowledged to trackers since the start. */
  readonly acknowledged: number;
  readonly stored: number;
  /** Records that were stored before and came again. */
  readonly duplicates: number;
  readonly deadLetters: number;
  /** Stream entries that the processor has not read yet. */
  readonly lagEntries: number;
  readonly devices: number;
}

const TIMEOUT_MS = 2_000;

/** @param text what /metrics answered. */
export function figuresOf(text: string, at: number): Figures {
  const samples = parseMetrics(text);
  const writes = (status: string): number => total(samples, 'processor_position_writes_total', { status });
  return {
    at,
    acknowledged: total(samples, 'odograph_ingest_records_total'),
    stored: writes('inserted'),
    duplicates: writes('duplicate'),
    deadLetters: total(samples, 'odograph_ingest_dead_letters_total') + total(samples, 'odograph_core_dead_letters_total'),
    lagEntries: total(samples, 'processor_consumer_lag'),
    devices: total(samples, 'processor_device_state_size'),
  };
}

/** undefined when the metrics cannot be had: the system is busy, or about to end. */
export async function readFigures(metricsUrl: string): Promise<Figures | undefined> {
  try {
    const response = await fetch(new URL('/metrics', metricsUrl), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return response.ok ? figuresOf(await response.text(), Date.now()) : undefined;
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** Records acknowledged per second between two readings. */
export function rateBetween(earlier: Figures | undefined, later: Figures): number {
  if (earlier === undefined || later.at <= earlier.at) return 0;
  return ((later.acknowledged - earlier.acknowledged) * 1000) / (later.at - earlier.at);
}
