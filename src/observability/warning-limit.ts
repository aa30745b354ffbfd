/**
 * Keeps a storm of like warnings from flooding the log: of each kind a burst is logged, then one now and then, which
 * says how many were left out. The counters are exact; the log is for people.
 */
import type { Logger } from './logger.ts';

interface Kind {
  tokens: number;
  refilledAt: number;
  leftOut: number;
}

const BURST = 20;
const INTERVAL_MS = 5_000;

export class WarningLimit {
  readonly #kinds = new Map<string, Kind>();

  /**
   * Asks whether to log one more warning of a kind. Kinds are few: codes, not addresses.
   * @param now monotonic clock, milliseconds
   * @returns null: no; else how many of this kind were left out since the last that was logged
   */
  admit(name: string, now: number = performance.now()): number | null {
    const kind = this.#kinds.get(name) ?? { tokens: BURST, refilledAt: now, leftOut: 0 };
    this.#kinds.set(name, kind);
    const refill = Math.floor((now - kind.refilledAt) / INTERVAL_MS);
    kind.tokens = Math.min(BURST, kind.tokens + refill);
    kind.refilledAt += refill * INTERVAL_MS;
    if (kind.tokens === 0) {
      kind.leftOut += 1;
      return null;
    }
    kind.tokens -= 1;
    const { leftOut } = kind;
    kind.leftOut = 0;
    return leftOut;
  }
}

/** Logs, unless too many of its kind were logged lately. */
export type LimitedLog = (level: 'warn' | 'error', kind: string, fields: object, message: string) => void;

export function limited(log: Logger): LimitedLog {
  const limit = new WarningLimit();
  return (level, kind, fields, message) => {
    const leftOut = limit.admit(kind);
    if (leftOut !== null) log[level](leftOut === 0 ? fields : { ...fields, leftOut }, message);
  };
}
