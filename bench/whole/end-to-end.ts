/**
 * The whole way, with default settings and everything on this machine, the trackers too: from the first byte sent to
 * the last position committed. Next to it what the database takes at its best (COPY of as many rows into the same
 * table), and what one writes first (an awaited XADD of JSON for each record, INSERT … VALUES).
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import type { Benchmark, BenchOptions, Figure, Outcome, Ratio } from '../benchmark.ts';
import type { Copier } from '../storage/copy-text.ts';
import { findCopier, writeCopyText } from '../storage/copy-text.ts';
import { checkPositions, createBenchDatabase, emptyPositions, untilStored, withClient } from '../support/database.ts';
import { takeTurns } from '../support/rounds.ts';
import { imeisOf, presentRecord } from '../support/sample-frames.ts';
import { over } from '../support/statistics.ts';
import type { FleetPlan } from '../support/trackers-protocol.ts';
import { CpuMeter } from '../support/usage.ts';
import { NaivePipeline } from './naive.ts';
import type { Pipeline } from './pipeline.ts';
import { startPipeline } from './pipeline.ts';

const DEVICES = 500;

interface Round {
  readonly perSecond: number;
  /** Acknowledged in a second, while frames were sent. */
  readonly acknowledgedPerSecond: number;
  readonly micros: Readonly<Record<string, number>>;
}

type Load = Pick<FleetPlan, 'framesEach' | 'recordsPerFrame'>;

function positionsOf({ framesEach, recordsPerFrame }: Load): number {
  return DEVICES * framesEach * recordsPerFrame;
}

async function odographRound(pipeline: Pipeline, client: Client, load: Load): Promise<Round> {
  const positions = positionsOf(load);
  await pipeline.trackers.ask({ type: 'prepare', plan: { devices: DEVICES, firstRecord: presentRecord(), ...load } });
  await emptyPositions(client);
  const meter = new CpuMeter(pipeline.pids);
  await meter.start();
  const startedAt = performance.now();
  const { seconds } = await pipeline.trackers.ask({ type: 'send' });
  await untilStored(client, positions);
  const total = (performance.now() - startedAt) / 1_000;
  const micros = await meter.microsEach(positions);
  await checkPositions(client, positions);
  return { perSecond: positions / total, acknowledgedPerSecond: positions / seconds, micros };
}

async function naiveRound(naive: NaivePipeline, load: Load): Promise<Round> {
  const positions = positionsOf(load);
  await naive.trackers.ask({ type: 'prepare', plan: { devices: DEVICES, firstRecord: presentRecord(), ...load } });
  return await withClient(naive.postgresUrl, async (client) => {
    await emptyPositions(client);
    const startedAt = performance.now();
    const { seconds } = await naive.trackers.ask({ type: 'send' });
    await naive.untilStored(positions);
    const total = (performance.now() - startedAt) / 1_000;
    await checkPositions(client, positions);
    await naive.clear();
    return { perSecond: positions / total, acknowledgedPerSecond: positions / seconds, micros: {} };
  });
}

async function copyRound(url: string, rows: number, work: () => Promise<void>): Promise<Round> {
  return await withClient(url, async (client) => {
    await emptyPositions(client);
    const startedAt = performance.now();
    await work();
    const perSecond = rows / ((performance.now() - startedAt) / 1_000);
    await checkPositions(client, rows);
    return { perSecond, acknowledgedPerSecond: Number.NaN, micros: {} };
  });
}

type Contestant = 'of1' | 'of10' | 'of50' | 'copy' | 'naiveOf1' | 'naiveOf10';
type Rounds = Readonly<Record<Contestant, readonly Round[]>>;

async function measure({ servers, quick, say }: BenchOptions, copier: Copier): Promise<Rounds> {
  const size = quick ? 1 : 4;
  const file = join(servers.folder, 'end-to-end.copy');
  const copied = { devices: DEVICES, firstRecord: presentRecord(), recordsEach: 100 * size, recordsPerFrame: 10 };
  say('  writing the rows that are copied');
  await writeCopyText(file, copied);
  const copyUrl = await createBenchDatabase(servers, imeisOf(DEVICES));
  const pipeline = await startPipeline(servers, { devices: DEVICES });
  const naive = await NaivePipeline.start(servers, DEVICES);
  const rounds = await withClient(pipeline.postgresUrl, (client) => takeTurns<Contestant, Round>({
    of1: () => odographRound(pipeline, client, { framesEach: 40 * size, recordsPerFrame: 1 }),
    of10: () => odographRound(pipeline, client, { framesEach: 10 * size, recordsPerFrame: 10 }),
    of50: () => odographRound(pipeline, client, { framesEach: 2 * size, recordsPerFrame: 50 }),
    copy: () => copyRound(copyUrl, DEVICES * copied.recordsEach, () => copier.copy(copyUrl, file)),
    naiveOf1: () => naiveRound(naive, { framesEach: 10 * size, recordsPerFrame: 1 }),
    naiveOf10: () => naiveRound(naive, { framesEach: 2 * size, recordsPerFrame: 10 }),
  }, quick ? 2 : 5));
  naive.stop();
  await pipeline.stop();
  await rm(file);
  return rounds;
}

function speed(rounds: readonly Round[]): number[] {
  return rounds.map(({ perSecond }) => perSecond);
}

/** What each process takes for a position, in CPU time. */
function cpuFigures(name: string, rounds: readonly Round[]): Figure[] {
  const processes = Object.keys(rounds[0]?.micros ?? {});
  return processes.map((process) => ({
    name: `${name}, CPU of ${process} a position`, unit: 'µs', values: rounds.map(({ micros }) => micros[process] ?? Number.NaN),
  }));
}

async function run(options: BenchOptions): Promise<Outcome> {
  const copier = await findCopier();
  const { of1, of10, of50, copy, naiveOf1, naiveOf10 } = await measure(options, copier);
  const named = [['1 a frame', of1], ['10 a frame', of10], ['50 a frame', of50]] as const;
  const ratio = (name: string, goal: string, ours: readonly Round[], theirs: readonly Round[]): Ratio =>
    ({ name, goal, values: over(speed(ours), speed(theirs)) });
  return {
    figures: [
      ...named.map(([name, rounds]) => ({ name: `${name}, stored`, unit: 'positions/s', values: speed(rounds) })),
      ...named.map(([name, rounds]) => (
        { name: `${name}, acknowledged`, unit: 'positions/s', values: rounds.map(({ acknowledgedPerSecond }) => acknowledgedPerSecond) })),
      { name: copier.name, unit: 'rows/s', values: speed(copy) },
      { name: 'naive, 1 a frame, stored', unit: 'positions/s', values: speed(naiveOf1) },
      { name: 'naive, 10 a frame, stored', unit: 'positions/s', values: speed(naiveOf10) },
      ...named.flatMap(([name, rounds]) => cpuFigures(name, rounds)),
    ],
    ratios: [
      ratio('stored, 1 a frame ÷ COPY text', 'at least 0.15', of1, copy),
      ratio('stored, 10 a frame ÷ COPY text', 'at least 0.38', of10, copy),
      ratio('stored, 50 a frame ÷ COPY text', 'no goal', of50, copy),
      ratio('stored, 1 a frame ÷ naive pipeline', 'no goal', of1, naiveOf1),
      ratio('stored, 10 a frame ÷ naive pipeline', 'at least 5', of10, naiveOf10),
    ],
  };
}

export const endToEnd: Benchmark = {
  name: 'end-to-end',
  what: `${DEVICES} trackers to rows in the database, default settings, all on this machine`,
  run,
};
