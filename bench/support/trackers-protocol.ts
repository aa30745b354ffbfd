/** What a benchmark and its process of trackers say to each other over IPC. */

/** A tracker for each device; all its frames are encoded before anything is sent. */
export interface FleetPlan {
  readonly devices: number;
  readonly framesEach: number;
  readonly recordsPerFrame: number;
  /** Number of the first record of every device: what was sent before is not sent again. */
  readonly firstRecord: number;
}

export type TrackersCommand =
  | { readonly type: 'prepare'; readonly plan: FleetPlan }
  /** Every tracker connects to one of the ports and logs in. */
  | { readonly type: 'connect'; readonly ports: readonly number[] }
  /** Every tracker sends all it has, each frame once the one before it is acknowledged. */
  | { readonly type: 'send' }
  /** The same, as so many frames of all trackers together fall due in a second, for so long. */
  | { readonly type: 'pace'; readonly framesPerSecond: number; readonly seconds: number }
  | { readonly type: 'hangUp' };

/** Milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

export interface TrackersAnswer {
  /** Frames acknowledged. */
  readonly frames: number;
  /** Until the last acknowledgement, or when the time was over. */
  readonly seconds: number;
  /** From writing a frame to its acknowledgement. */
  readonly latencyMs: Latency;
  /** From the moment that a frame was due, so that waiting for the one before counts too. */
  readonly latencySinceDueMs: Latency;
  /** Frames that were due and never sent, their trackers still waiting for an acknowledgement. */
  readonly unsent: number;
}
