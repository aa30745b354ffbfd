/** What a fault is: something that breaks while trackers send, and how it may show. */
import type { Random } from '../../src/simulator/random.ts';
import type { ProgramName, World, WorldOptions } from './world/world.ts';

export interface Fault extends WorldOptions {
  readonly name: string;
  /** What is done, for the table of reliability.md. */
  readonly what: string;
  /** How often, in the short and in the long form. */
  readonly times: { readonly short: number; readonly long: number };
  /** Whose `/readyz` has to say 503 while it lasts. */
  readonly impairs: readonly ProgramName[];
  /** Whose `/readyz` may say so, since it comes to them later; nobody else's may. */
  readonly mayImpair?: readonly ProgramName[];
  /** It may make Redis append a frame twice, or deliver an entry twice: more is processed than was received. */
  readonly repeats?: boolean;
  /** Messages that may be logged at level error, as often as it is injected. */
  readonly errors?: readonly string[];
  /** Acknowledged records that are in the memory of a server alone may be lost: that is what the operator chose. */
  readonly loses?: boolean;
  /** Why it cannot be done on this machine; null: it can. */
  impossible?(runFolder: string): Promise<string | null>;
  /** Port where the fleet connects, if not to ingest itself. */
  route?(world: World): Promise<number>;
  /** Breaks it, for as long as it takes, and mends it. */
  inject(world: World, random: Random): Promise<void>;
  /** After the last injection, before the counting: what an operator would do. */
  repair?(world: World): Promise<void>;
  /** After everything has ended. */
  cleanUp?(world: World): void;
}
