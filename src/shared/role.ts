/** What every part of the system that runs is. */

export interface Role {
  readonly name: string;
  /** It does its work: what `/readyz` reports. */
  readonly isStarted: boolean;
  /** What keeps a started role from its work at present, for `/readyz`; null: nothing. */
  readonly impediment: string | null;
  /** Resolves when the role does its work; a role that waits for a server resolves when that is there. */
  start(): Promise<void>;
  /** Finishes what was begun, takes on nothing new, releases everything. Safe to call more than once. */
  stop(): Promise<void>;
}
