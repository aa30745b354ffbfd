/** So many positions a second for a while, and how long they take to be acknowledged and to be committed. */
import type { Client } from 'pg';
import { storedPositions, untilStored } from '../support/database.ts';
import { quantileBetween } from '../support/histogram-quantile.ts';
import { readMetrics } from '../support/metrics.ts';
import type { TrackersAnswer } from '../support/trackers-protocol.ts';
import { CpuMeter } from '../support/usage.ts';
import type { Pipeline } from './pipeline.ts';

const RECEIPT_TO_COMMIT = 'odograph_core_receipt_to_commit_seconds';
const MS = 1_000;

export interface Pace {
  readonly devices: number;
  readonly recordsPerFrame: number;
  readonly positionsPerSecond: number;
  readonly seconds: number;
  /** Number of the first record, which no round before this one has sent. */
  readonly firstRecord: number;
}

export interface PacedRound {
  readonly sent: TrackersAnswer;
  /** From the receipt of a frame to the COMMIT of its records, as core counts it. */
  readonly commitMs: { readonly p50: number; readonly p99: number };
  /** Positions that were acknowledged and not stored yet when the time was over. */
  readonly backlog: number;
  /** Until those were stored too. */
  readonly drainSeconds: number;
  /** CPU time of each process a position. */
  readonly micros: Readonly<Record<string, number>>;
}

/** Records of each tracker that a round takes at most. */
export function recordsOf({ devices, recordsPerFrame, positionsPerSecond, seconds }: Omit<Pace, 'firstRecord'>): number {
  return (Math.ceil((positionsPerSecond * seconds) / recordsPerFrame / devices) + 1) * recordsPerFrame;
}

/** @param client of the pipeline's database */
export async function pacedRound(pipeline: Pipeline, client: Client, pace: Pace): Promise<PacedRound> {
  const { trackers, core, pids } = pipeline;
  const { devices, recordsPerFrame, positionsPerSecond, seconds, firstRecord } = pace;
  const framesEach = recordsOf(pace) / recordsPerFrame;
  await trackers.ask({ type: 'prepare', plan: { devices, framesEach, recordsPerFrame, firstRecord } });
  const meter = new CpuMeter(pids);
  const storedBefore = await storedPositions(client);
  const before = await readMetrics(core);
  await meter.start();
  const sent = await trackers.ask({ type: 'pace', framesPerSecond: positionsPerSecond / recordsPerFrame, seconds });
  const endedAt = performance.now();
  const acknowledged = sent.frames * recordsPerFrame;
  const backlog = Math.max(0, acknowledged - ((await storedPositions(client)) - storedBefore));
  await untilStored(client, storedBefore + acknowledged);
  const drainSeconds = (performance.now() - endedAt) / MS;
  const micros = await meter.microsEach(acknowledged);
  const after = await readMetrics(core);
  const commit = (share: number): number => quantileBetween(before, after, RECEIPT_TO_COMMIT, share) * MS;
  return { sent, commitMs: { p50: commit(0.5), p99: commit(0.99) }, backlog, drainSeconds, micros };
}
