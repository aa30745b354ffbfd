/** Whether a record's time is one that a record may have, however it comes in. Pure. */

/** What the time of a record is held against. */
export interface RecordTimeLimits {
  /** The server's clock, epoch milliseconds: later than `receivedAt` where a dead letter is decoded again. */
  readonly now: number;
  /** How far a record's time may be behind `now`, and ahead of it, milliseconds. */
  readonly maxPastMs: number;
  readonly maxFutureMs: number;
}

export type ClockFault = 'clock_ahead' | 'clock_behind';

/** null: the time is one that a record may have. */
export function clockFault(ts: number, { now, maxPastMs, maxFutureMs }: RecordTimeLimits): ClockFault | null {
  if (ts - now > maxFutureMs) return 'clock_ahead';
  return now - ts > maxPastMs ? 'clock_behind' : null;
}
