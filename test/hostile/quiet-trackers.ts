/** Trackers that do what trackers do: each sends a frame, waits for its answer, and sends the next. */
import type { Tracker } from '../ingest/tracker.ts';
import { dataFrame, loggedIn, newImei } from '../ingest/tracker.ts';

export class QuietTrackers {
  readonly #trackers: readonly Tracker[];
  #sent = 0;
  #frames = 0;
  #isEnding = false;
  #running: Promise<readonly PromiseSettledResult<void>[]> = Promise.resolve([]);

  private constructor(trackers: readonly Tracker[]) {
    this.#trackers = trackers;
  }

  static connect(port: number, count: number): Promise<QuietTrackers> {
    return QuietTrackers.connectAs(port, Array.from({ length: count }, newImei));
  }

  static async connectAs(port: number, imeis: readonly string[]): Promise<QuietTrackers> {
    return new QuietTrackers(await Promise.all(imeis.map((imei) => loggedIn(port, imei))));
  }

  /** Frames acknowledged. */
  get acknowledged(): number {
    return this.#frames;
  }

  start(): void {
    this.#running = Promise.allSettled(this.#trackers.map((tracker) => this.#run(tracker)));
  }

  /** @throws when one of them was not answered, or closed. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    for (const result of await this.#running) if (result.status === 'rejected') throw result.reason;
  }

  async #run(tracker: Tracker): Promise<void> {
    while (!this.#isEnding) {
      this.#sent += 1;
      tracker.send(dataFrame(1, 1_690_000_000_000 + 1_000 * this.#sent));
      const count = await tracker.acknowledgement();
      if (count !== 1) throw new Error(`${count} records acknowledged in the place of 1`);
      this.#frames += 1;
    }
  }
}
