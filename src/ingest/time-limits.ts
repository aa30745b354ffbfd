/**
 * The time limits of one connection. While the stream holds the connection up its silence is our doing: the clock of
 * frame and idle limit stands still. Not that of the login: a tracker that waits that long has gone and come back.
 * Pure; times are of a monotonic clock, milliseconds.
 */
import type { Settings } from '../config/settings.ts';

type Limits = Pick<Settings, 'INGEST_LOGIN_TIMEOUT_MS' | 'INGEST_FRAME_TIMEOUT_MS' | 'INGEST_IDLE_TIMEOUT_MS'>;

export type Overdue = 'login_timeout' | 'frame_timeout' | 'idle_timeout' | 'overloaded';

export class TimeLimits {
  readonly #limits: Limits;
  readonly #openedAt: number;
  #lastByteAt: number;
  #frameBegunAt: number | null = null;
  #heldSince: number | null = null;

  constructor(limits: Limits, now: number) {
    this.#limits = limits;
    this.#openedAt = now;
    this.#lastByteAt = now;
  }

  /** Bytes came. They ended `endedFrames` frames, and `unfinishedBytes` of another are there. */
  received(now: number, endedFrames: number, unfinishedBytes: number): void {
    this.#lastByteAt = now;
    if (unfinishedBytes === 0) this.#frameBegunAt = null;
    else if (endedFrames > 0 || this.#frameBegunAt === null) this.#frameBegunAt = now;
  }

  /** Says whether the stream holds the connection up. */
  hold(isHeld: boolean, now: number): void {
    if (isHeld) {
      this.#heldSince ??= now;
      return;
    }
    if (this.#heldSince === null) return;
    const heldMs = now - this.#heldSince;
    this.#heldSince = null;
    this.#lastByteAt = Math.min(now, this.#lastByteAt + heldMs);
    if (this.#frameBegunAt !== null) this.#frameBegunAt = Math.min(now, this.#frameBegunAt + heldMs);
  }

  /** The limit that has passed, or null. */
  overdue(now: number, isLoggedIn: boolean): Overdue | null {
    const isHeld = this.#heldSince !== null;
    if (!isLoggedIn && now - this.#openedAt > this.#limits.INGEST_LOGIN_TIMEOUT_MS) {
      return isHeld ? 'overloaded' : 'login_timeout';
    }
    if (isHeld) return null;
    if (this.#frameBegunAt !== null && now - this.#frameBegunAt > this.#limits.INGEST_FRAME_TIMEOUT_MS) {
      return 'frame_timeout';
    }
    return now - this.#lastByteAt > this.#limits.INGEST_IDLE_TIMEOUT_MS ? 'idle_timeout' : null;
  }
}
