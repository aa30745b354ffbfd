/** What an observer sees of the programs of a world, several times a second: their readiness and their memory. */
import { pause } from '../../../src/shared/wait.ts';
import type { Program } from './program.ts';

const INTERVAL_MS = 150;

export interface Observation {
  /** Milliseconds of `performance.now()`. */
  readonly askedAt: number;
  readonly answeredAt: number;
  /** Status of `/readyz`; null: nobody answered. */
  readonly status: number | null;
  readonly failing: readonly string[];
}

export class Watch {
  readonly observations = new Map<Program, Observation[]>();
  /** Most memory of each program, bytes. */
  readonly peakBytes = new Map<Program, number>();
  readonly #stopping = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  start(programs: readonly Program[]): void {
    this.#running = Promise.all(programs.map((program) => this.#follow(program)));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #follow(program: Program): Promise<void> {
    const seen: Observation[] = [];
    this.observations.set(program, seen);
    while (!this.#stopping.signal.aborted) {
      const askedAt = performance.now();
      const readiness = await program.readiness().catch(() => ({ status: null, failing: [] }));
      seen.push({ askedAt, answeredAt: performance.now(), ...readiness });
      const bytes = await program.residentBytes();
      this.peakBytes.set(program, Math.max(bytes, this.peakBytes.get(program) ?? 0));
      await pause(INTERVAL_MS, this.#stopping.signal);
    }
  }
}
