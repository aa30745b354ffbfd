/**
 * Leaves most of the CPU to the records that come in: work that can wait makes breaks, each twice as long as what was
 * done since the one before. On a machine that is busy both are longer, so that whoever waits least gives way most.
 */
import { pause } from '../../shared/wait.ts';

const WORK_MS = 10;
const BREAK_PER_WORK = 2;

export interface Breaks {
  /** To be awaited in the middle of the work, often. Returns at once where none is due, or when the work is to end. */
  take(): Promise<void>;
}

/** For work that is behind, or that others wait for. */
export const NO_BREAKS: Breaks = { take: () => Promise.resolve() };

export class RegularBreaks implements Breaks {
  readonly #clock: () => number;
  readonly #rest: (ms: number) => Promise<void>;
  #since: number;

  /**
   * @param signal ends a break
   * @param clock milliseconds
   */
  constructor(
    signal: AbortSignal,
    clock = (): number => performance.now(),
    rest = (ms: number): Promise<void> => pause(ms, signal),
  ) {
    this.#clock = clock;
    this.#rest = rest;
    this.#since = clock();
  }

  async take(): Promise<void> {
    const workedMs = this.#clock() - this.#since;
    if (workedMs < WORK_MS) return;
    await this.#rest(workedMs * BREAK_PER_WORK);
    this.#since = this.#clock();
  }
}
