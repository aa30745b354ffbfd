/** What a benchmark is: something to be measured, next to what it is compared with, in rounds that take turns. */
import type { BenchServers } from './support/servers.ts';

export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** One for each round. */
  readonly values: readonly number[];
}

/** A figure over another one, round by round. */
export interface Ratio {
  readonly name: string;
  readonly values: readonly number[];
  /** What it is meant to be, for the report. */
  readonly goal: string;
}

export interface Outcome {
  readonly figures: readonly Figure[];
  readonly ratios?: readonly Ratio[];
  /** Facts that are no figures. */
  readonly notes?: readonly string[];
}

export interface BenchOptions {
  readonly servers: BenchServers;
  /** Fewer and shorter rounds, to see that it works. */
  readonly quick: boolean;
  /** Sizes that take hours and tens of gigabytes too. */
  readonly large: boolean;
  /** Rows of a history, in the place of those that a benchmark would have; absent: those. */
  readonly rows?: number;
  readonly say: (line: string) => void;
}

export interface Benchmark {
  readonly name: string;
  readonly what: string;
  run(options: BenchOptions): Promise<Outcome>;
}
