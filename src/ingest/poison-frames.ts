/**
 * Frames with a good checksum that are refused all the same: sending one again cannot mend it, so after a few attempts
 * it is kept as a dead letter and acknowledged, and the tracker goes on. Remembered over reconnects, within a bound.
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

const REMEMBERED_FRAMES = 10_000;

export class PoisonFrames {
  readonly #attempts: number;
  readonly #seen = new LRUCache<string, number>({ max: REMEMBERED_FRAMES });

  constructor(attempts: number) {
    this.#attempts = attempts;
  }

  /** Counts one more refusal of this frame of this device; true when it has come often enough to be kept instead. */
  isPoison(deviceId: string | null, frame: Buffer): boolean {
    const key = createHash('sha256').update(`${deviceId}\n`).update(frame).digest('base64');
    const count = (this.#seen.get(key) ?? 0) + 1;
    this.#seen.set(key, count);
    return count >= this.#attempts;
  }
}
