/** What a benchmark and its process of viewers say to each other over IPC. */

export interface Plan {
  readonly token: string;
  readonly topics: readonly string[];
}

export type ViewersCommand =
  /** Opens a viewer for each plan, at most `perSecond` a second; answered when all have what they asked for. */
  | { readonly type: 'open'; readonly url: string; readonly plans: readonly Plan[]; readonly perSecond: number }
  /** Answered when so many positions have come since the last `reset`. */
  | { readonly type: 'until'; readonly positions: number }
  /** With `timing` the latency of each position is measured from now on, which costs the viewers time. */
  | { readonly type: 'reset'; readonly timing: boolean }
  /** Latencies since the last `reset`, of viewers that read. */
  | { readonly type: 'report' }
  | { readonly type: 'stopReading'; readonly index: number }
  | { readonly type: 'closeAll' };

export interface ViewersAnswer {
  /** Milliseconds from connecting to the snapshot, of each viewer that was opened. */
  readonly waitsMs?: readonly number[];
  readonly positions?: number;
  /** From receipt by ingest to arrival at the viewer, milliseconds: p50, p99, most. */
  readonly latencyMs?: readonly [p50: number, p99: number, most: number];
  /** Attempts that were refused and made again. */
  readonly retries?: number;
  readonly failures?: readonly string[];
}
