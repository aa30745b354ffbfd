/**
 * A sliding window of requests, approximated by two fixed ones: the requests of the current minute, and those of the
 * minute before in proportion to how much of it the window still covers. Constant memory for each caller, and off by
 * no more than how unevenly the minute before was used. Pure; `rate-limit.ts` has the same as a script of Redis.
 */

export interface Window {
  /** Number of the fixed window since the epoch. */
  slot: number;
  /** Requests admitted in it, and in the one before. */
  current: number;
  previous: number;
}

export interface Admission {
  readonly admitted: boolean;
  /** Further requests that would be admitted now. */
  readonly remaining: number;
  /** Until the fixed window ends; for one that is refused: until it would be admitted. Milliseconds. */
  readonly resetMs: number;
}

/** Advances `window` to `now` and takes a place in it if there is one. */
export function admit(window: Window, limit: number, windowMs: number, now: number): Admission {
  const slot = Math.floor(now / windowMs);
  if (slot !== window.slot) {
    window.previous = slot === window.slot + 1 ? window.current : 0;
    window.current = 0;
    window.slot = slot;
  }
  const restMs = windowMs - (now - slot * windowMs);
  const used = window.current + (window.previous * restMs) / windowMs;
  if (used + 1 > limit) return { admitted: false, remaining: 0, resetMs: waitMs(window, limit, windowMs, restMs) };
  window.current += 1;
  return { admitted: true, remaining: Math.floor(limit - used - 1), resetMs: restMs };
}

/** Until so much of the window before is over that one more fits. */
function waitMs({ current, previous }: Window, limit: number, windowMs: number, restMs: number): number {
  if (current + 1 <= limit) return Math.ceil(restMs - ((limit - 1 - current) / previous) * windowMs);
  return Math.ceil(restMs + windowMs * (1 - (limit - 1) / current));
}
