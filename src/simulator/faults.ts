/**
 * What goes wrong with trackers in the field, done on purpose. A plan draws from the seed before every frame, so that a
 * run can be repeated; which faults there are, and what each must not change on the server, stands in `FAULTS`.
 */
import { Random } from './random.ts';

/** No fault may lose an acknowledged record or store one twice. */
export const FAULTS = {
  cut: 'the connection ends in the middle of a frame',
  'cut-after': 'the connection ends after the frame and before its acknowledgement',
  resend: 'a frame that was acknowledged is sent again',
  'duplicate-login': 'a second connection logs in while the first is open with a frame on its way',
  garbage: 'bytes that are no frame',
  slow: 'a frame comes one byte at a time',
} as const;

export type FaultKind = keyof typeof FAULTS;

export const FAULT_KINDS = Object.keys(FAULTS) as readonly FaultKind[];

export class FaultPlan {
  readonly #random: Random;
  readonly #kinds: readonly FaultKind[];
  readonly #rate: number;

  /** @param rate share of frames (0…1) that meet a fault. */
  constructor(seed: number, kinds: readonly FaultKind[], rate: number) {
    this.#random = new Random(seed);
    this.#kinds = kinds;
    this.#rate = rate;
  }

  /** What happens to the next frame; null: nothing. */
  next(): FaultKind | null {
    return this.#kinds.length > 0 && this.#random.next() < this.#rate ? this.#random.pick(this.#kinds) : null;
  }

  /** The part of a frame that gets through before the connection is cut: at least one byte, never all. */
  cutOff(frame: Buffer): Buffer {
    return frame.subarray(0, this.#random.integer(1, frame.length - 1));
  }

  /**
   * 16 to 200 bytes that no server can take for a frame: the first is neither the preamble's 00 nor the ping FF, and
   * the first two are no length of an IMEI.
   */
  garbage(): Buffer {
    const bytes = Buffer.alloc(this.#random.integer(16, 200));
    for (let index = 1; index < bytes.length; index += 1) bytes[index] = this.#random.integer(0, 255);
    bytes[0] = this.#random.integer(0x20, 0xfe);
    return bytes;
  }
}
