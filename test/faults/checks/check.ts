/** What a check is given: a fault that was injected as often as it should, and the world at the end of it. */
import type { Sample } from '../../../src/shared/metrics-text.ts';
import type { Fault } from '../fault.ts';
import type { FinishedFleet } from '../world/fleet.ts';
import type { Program } from '../world/program.ts';
import type { World } from '../world/world.ts';

export interface Evidence {
  readonly fault: Fault;
  readonly world: World;
  readonly injected: number;
  /** Letters before they were replayed. */
  readonly deadLettered: number;
  readonly fleet: FinishedFleet;
  /** Metrics of each program when the fleet had ended and the stream was empty. */
  readonly metrics: ReadonlyMap<Program, readonly Sample[]>;
}

/** @returns what is wrong, a line each */
export type Check = (evidence: Evidence) => Promise<readonly string[]> | readonly string[];
