/**
 * How many entries of a stream the group has not been given yet. Redis 7 counts what a group has read, and after a
 * restart from its append-only file goes on from an estimate: the lag that it reports can then be too large by the same
 * number for ever. Where the group has been given the last entry the lag is 0, and what Redis reports beyond that is
 * the error.
 */
export interface Progress {
  /** What Redis reports; null: it does not know. */
  readonly reported: number | null;
  readonly lastDeliveredId: string;
  /** Of the newest entry that the stream ever had. */
  readonly lastId: string;
}

export class LagMeter {
  readonly #errors = new Map<string, number>();

  /** undefined while nobody can tell. */
  lagOf(stream: string, { reported, lastDeliveredId, lastId }: Progress): number | undefined {
    if (lastDeliveredId === lastId) {
      this.#errors.set(stream, reported ?? 0);
      return 0;
    }
    if (reported === null) return undefined;
    return Math.max(0, reported - (this.#errors.get(stream) ?? 0));
  }
}
