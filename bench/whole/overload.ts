/**
 * What is offered next to what the machine can store: half of it, 80 %, and 130 %. Up to 80 % latency stays flat;
 * beyond capacity what waits is bounded, in the trackers by one frame each, and what is acknowledged waits in the
 * stream.
 */
import type { Client } from 'pg';
import type { Benchmark, BenchOptions, Figure, Outcome } from '../benchmark.ts';
import { storedPositions, untilStored, withClient } from '../support/database.ts';
import { takeTurns } from '../support/rounds.ts';
import { presentRecords } from '../support/sample-frames.ts';
import { over } from '../support/statistics.ts';
import { residentBytes } from '../support/usage.ts';
import type { Pace, PacedRound } from './paced-round.ts';
import { pacedRound, recordsOf } from './paced-round.ts';
import type { Pipeline } from './pipeline.ts';
import { startPipeline } from './pipeline.ts';

const LOAD = { devices: 500, recordsPerFrame: 10 };
const SHARES = { half: 0.5, most: 0.8, beyond: 1.3 } as const;
const MIB = 1024 * 1024;
/** Long enough for minutes to be rolled up beside it. */
const SUSTAINED_S = 90;

type Share = keyof typeof SHARES;

interface Round extends PacedRound {
  readonly ingestMiB: number;
  readonly coreMiB: number;
}

/** Positions stored in a second when every tracker sends as fast as it is acknowledged, for a few seconds. */
async function burst(pipeline: Pipeline, client: Client, framesEach: number, firstRecord: number): Promise<number> {
  await pipeline.trackers.ask({ type: 'prepare', plan: { ...LOAD, framesEach, firstRecord } });
  const before = await storedPositions(client);
  const startedAt = performance.now();
  const { frames } = await pipeline.trackers.ask({ type: 'send' });
  const positions = frames * LOAD.recordsPerFrame;
  await untilStored(client, before + positions);
  return positions / ((performance.now() - startedAt) / 1_000);
}

function figuresOf(name: string, rounds: readonly Round[]): Figure[] {
  const of = (pick: (round: Round) => number): number[] => rounds.map(pick);
  return [
    { name: `${name}: acknowledged`, unit: 'positions/s', values: of(({ sent }) => (sent.frames * LOAD.recordsPerFrame) / sent.seconds) },
    { name: `${name}: acknowledgement, p50`, unit: 'ms', values: of(({ sent }) => sent.latencyMs.p50) },
    { name: `${name}: acknowledgement, p99`, unit: 'ms', values: of(({ sent }) => sent.latencyMs.p99) },
    { name: `${name}: receipt to commit, p99`, unit: 'ms', values: of(({ commitMs }) => commitMs.p99) },
    { name: `${name}: frames still with their trackers`, unit: '', values: of(({ sent }) => sent.unsent) },
    { name: `${name}: positions still in the stream`, unit: '', values: of(({ backlog }) => backlog) },
    { name: `${name}: until those were stored`, unit: 's', values: of(({ drainSeconds }) => drainSeconds) },
    { name: `${name}: resident memory of ingest`, unit: 'MiB', values: of(({ ingestMiB }) => ingestMiB) },
    { name: `${name}: resident memory of core`, unit: 'MiB', values: of(({ coreMiB }) => coreMiB) },
  ];
}

async function run({ servers, quick, say }: BenchOptions): Promise<Outcome> {
  const seconds = quick ? 3 : 15;
  const pipeline = await startPipeline(servers, { devices: LOAD.devices });
  return await withClient(pipeline.postgresUrl, async (client) => {
    const framesEach = quick ? 20 : 100;
    const took = presentRecords();
    const fastest: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      fastest.push(await burst(pipeline, client, framesEach, took(framesEach * LOAD.recordsPerFrame)));
    }
    const paced = async (pace: Omit<Pace, 'firstRecord'>): Promise<PacedRound> =>
      pacedRound(pipeline, client, { ...pace, firstRecord: took(recordsOf(pace)) });
    // The first has warmed up what is compiled when it runs often.
    const beyond = Math.min(...fastest.slice(1)) * SHARES.beyond;
    const more = { ...LOAD, positionsPerSecond: beyond, seconds: quick ? 3 : SUSTAINED_S };
    const { sent: offered, backlog } = await paced(more);
    const positionsPerSecond = (offered.frames * LOAD.recordsPerFrame - backlog) / offered.seconds;
    say(`  stores ${Math.round(positionsPerSecond)} positions/s`);
    const at = async (share: Share): Promise<Round> => {
      const round = await paced({ ...LOAD, positionsPerSecond: positionsPerSecond * SHARES[share], seconds });
      const [ingestMiB = 0, coreMiB = 0] = await Promise.all(
        [pipeline.ingest, pipeline.core].map(async ({ program }) => (await residentBytes(program.pid)) / MIB));
      return { ...round, ingestMiB, coreMiB };
    };
    const rounds = await takeTurns({ half: () => at('half'), most: () => at('most'), beyond: () => at('beyond') }, quick ? 1 : 3, 0);
    await pipeline.stop();
    const p99 = (which: readonly Round[]): number[] => which.map(({ sent }) => sent.latencyMs.p99);
    return {
      figures: [
        { name: 'stored as fast as it goes, for a few seconds', unit: 'positions/s', values: fastest.slice(1) },
        { name: 'capacity, stored while more is offered', unit: 'positions/s', values: [positionsPerSecond] },
        ...figuresOf('50 % offered', rounds.half),
        ...figuresOf('80 % offered', rounds.most),
        ...figuresOf('130 % offered', rounds.beyond),
      ],
      ratios: [{ name: 'acknowledgement p99, 80 % ÷ 50 % offered', goal: 'no goal', values: over(p99(rounds.most), p99(rounds.half)) }],
    };
  });
}

export const overload: Benchmark = {
  name: 'overload',
  what: '50 %, 80 % and 130 % of what this machine stores, 10 records a frame',
  run,
};
