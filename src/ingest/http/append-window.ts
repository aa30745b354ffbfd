/**
 * Appends of one request: a few at a time, so that a long stream takes bounded memory and is not held up by every
 * round trip. What resolves is durable; what is not confirmed in time is not, as far as the caller is told.
 *
 * Errors: `NotConfirmedError` when Redis does not take records, or not in time. The publisher may append them all the
 * same later: a client that sends them again changes no row.
 */
import { inTime } from '../../shared/deadline.ts';
import { errorMessage } from '../../shared/errors.ts';
import { pause } from '../../shared/wait.ts';
import type { StreamAppend } from '../entries.ts';
import type { Publisher } from '../publisher.ts';
import type { Taken } from './collector.ts';

/** Why a request cannot be answered with 202. */
export type Obstacle = 'congested' | 'stalled' | 'timeout' | 'stopping';

export class NotConfirmedError extends Error {
  override readonly name = 'NotConfirmedError';
  readonly obstacle: Obstacle;

  constructor(obstacle: Obstacle, message: string) {
    super(message);
    this.obstacle = obstacle;
  }
}

interface WindowOptions {
  readonly publisher: Pick<Publisher, 'append' | 'congested' | 'impediment'>;
  /** Longest time from handing an append in to its confirmation, milliseconds. */
  readonly timeoutMs: number;
  /** Told of records that have become durable. */
  readonly onAppended: (records: number) => void;
}

/** Appends under way at once; each holds what one chunk of the body brought. */
const MAX_UNDER_WAY = 4;
/** While others fill the queue, a stream that has begun waits, and so does its client: it looks again so often. */
const CONGESTION_POLL_MS = 20;
/** Entries of one append: what trackers append at the same time is not held up by one that is endless. */
const MAX_APPENDS = 500;

/** @throws NotConfirmedError when it would be in vain to read a body. */
export function checkFlow({ congested, impediment }: Pick<Publisher, 'congested' | 'impediment'>): void {
  if (congested) throw new NotConfirmedError('congested', 'more records wait for Redis than may');
  if (impediment !== null) throw new NotConfirmedError('stalled', 'Redis does not take records');
}

export class AppendWindow {
  readonly #options: WindowOptions;
  readonly #underWay: Promise<void>[] = [];
  #hasBegun = false;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /** Hands the records in; waits while too much is under way. @throws NotConfirmedError, also for earlier ones */
  async append({ appends, records }: Taken): Promise<void> {
    if (appends.length === 0) return;
    if (this.#hasBegun && this.#options.publisher.congested) await this.#untilClear();
    checkFlow(this.#options.publisher);
    this.#hasBegun = true;
    const done = this.#confirmed(appends).then(() => { this.#options.onAppended(records); });
    // Whether it failed is asked of the promise later, in its turn.
    done.catch(errorMessage);
    this.#underWay.push(done);
    if (this.#underWay.length >= MAX_UNDER_WAY) await this.#underWay.shift();
  }

  /** Resolves when all that was handed in is durable. @throws NotConfirmedError */
  async drain(): Promise<void> {
    for (let next = this.#underWay.shift(); next !== undefined; next = this.#underWay.shift()) await next;
  }

  /** Resolves when all that was handed in is durable, or is not in time. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#underWay.splice(0));
  }

  /** Waits for the others, no longer than for Redis: to end here would make the client send all of it again. */
  async #untilClear(): Promise<void> {
    const { publisher, timeoutMs } = this.#options;
    const deadline = AbortSignal.timeout(timeoutMs);
    while (publisher.congested && !deadline.aborted) await pause(CONGESTION_POLL_MS, deadline);
  }

  async #confirmed(appends: readonly StreamAppend[]): Promise<void> {
    const { publisher, timeoutMs } = this.#options;
    const parts: Promise<void>[] = [];
    for (let at = 0; at < appends.length; at += MAX_APPENDS) {
      parts.push(publisher.append(appends.slice(at, at + MAX_APPENDS)));
    }
    const appended = Promise.all(parts).catch((error: unknown) => {
      throw new NotConfirmedError('stopping', errorMessage(error));
    });
    const overdue = (): Error => new NotConfirmedError('timeout', 'Redis has not confirmed the records in time');
    await inTime(appended, timeoutMs, overdue);
  }
}
