/** What a run counts. Counters only grow; `connected` is the state of the moment. */
import type { FaultKind } from './faults.ts';
import { FAULT_KINDS } from './faults.ts';
import { LatencyHistogram } from './histogram.ts';

/** What can go wrong without being a fault of ours. */
export const ERROR_KINDS = ['unreachable', 'closed', 'timeout', 'protocol'] as const;

/**
 * `unreachable`: no connection; `closed`: the server ended it; `timeout`: no answer in time; `protocol`: an answer that
 * is none.
 */
export type ErrorKind = (typeof ERROR_KINDS)[number];

export class Statistics {
  connected = 0;
  logins = 0;
  refusedLogins = 0;
  recordsMade = 0;
  /** Frames written to the end, those sent again included. */
  framesSent = 0;
  framesAcknowledged = 0;
  recordsSent = 0;
  recordsAcknowledged = 0;
  /** Frames and records among those sent that had been sent before. */
  framesResent = 0;
  recordsResent = 0;
  readonly faults: Record<FaultKind, number> = zeros(FAULT_KINDS);
  readonly errors: Record<ErrorKind, number> = zeros(ERROR_KINDS);
  /** The last error that carried a text. */
  lastError: string | null = null;
  /** From the last byte of a frame written to the last byte of its acknowledgement read. */
  readonly latency: LatencyHistogram = new LatencyHistogram();
  /** The same since the last sample. */
  readonly recentLatency: LatencyHistogram = new LatencyHistogram();

  error(kind: ErrorKind, text: string | null = null): void {
    this.errors[kind] += 1;
    if (text !== null) this.lastError = text;
  }

  get errorCount(): number {
    return ERROR_KINDS.reduce((sum, kind) => sum + this.errors[kind], 0);
  }

  /** Records made that no acknowledgement has come for. */
  get unacknowledged(): number {
    return this.recordsMade - this.recordsAcknowledged;
  }

  frameSent(records: number, again: boolean): void {
    this.framesSent += 1;
    this.recordsSent += records;
    if (!again) return;
    this.framesResent += 1;
    this.recordsResent += records;
  }

  acknowledged(records: number, latencyMs: number): void {
    this.framesAcknowledged += 1;
    this.recordsAcknowledged += records;
    this.latency.record(latencyMs);
    this.recentLatency.record(latencyMs);
  }
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}
