/** What is counted about the rollups. */

/** Why an hour of a tracker is rolled up: it is over, it got late records, or it is from before there were rollups. */
export const ROLLUP_CAUSES = ['over', 'late', 'past'] as const;
export type RollupCause = (typeof ROLLUP_CAUSES)[number];

export interface RollupStats {
  /** Those that wait; of more than some thousand an estimate. */
  readonly marks: number;
  /** How long ago the last hour that is rolled up ended, seconds; 0: none is. */
  readonly lagSeconds: number;
  /** The same of the last minute. */
  readonly minutesLagSeconds: number;
}
