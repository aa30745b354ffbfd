/**
 * Trackers with a record a second each: how long they wait for an acknowledgement, and their records for the COMMIT, at
 * each level of durability. Then how many positions each level acknowledges when the trackers send as fast as they can.
 */
import type { Client } from 'pg';
import type { Benchmark, BenchOptions, Figure, Outcome, Ratio } from '../benchmark.ts';
import { storedPositions, untilStored, withClient } from '../support/database.ts';
import type { BenchServers } from '../support/servers.ts';
import { presentRecords } from '../support/sample-frames.ts';
import type { Level } from './durability-levels.ts';
import { startLevels } from './durability-levels.ts';
import type { PacedRound } from './paced-round.ts';
import { pacedRound, recordsOf } from './paced-round.ts';
import type { Pipeline } from './pipeline.ts';
import { startPipeline } from './pipeline.ts';

const DEVICES = 5_000;
const POSITIONS_PER_SECOND = 5_000;
/** As fast as they can: frames of one record that each tracker sends. */
const FRAMES_EACH = 10;
const GOALS_MS = { acknowledgement: 25, commit: 60 };

interface Round {
  readonly paced: PacedRound;
  /** Acknowledged as fast as it goes. */
  readonly mostPerSecond: number;
}

/** Acknowledged in a second; what follows begins when all of it is stored. */
async function fastest(pipeline: Pipeline, client: Client, firstRecord: number): Promise<number> {
  const plan = { devices: DEVICES, framesEach: FRAMES_EACH, recordsPerFrame: 1, firstRecord };
  await pipeline.trackers.ask({ type: 'prepare', plan });
  const before = await storedPositions(client);
  const { frames, seconds } = await pipeline.trackers.ask({ type: 'send' });
  await untilStored(client, before + frames);
  return frames / seconds;
}

/** One level after the other, each alone: what another system does beside it would be in its latency. */
async function roundsOf(servers: BenchServers, level: Level, quick: boolean): Promise<Round[]> {
  const pipeline = await startPipeline(servers, { devices: DEVICES, redis: level.redis, settings: level.settings });
  const seconds = quick ? 5 : 10;
  const pace = { devices: DEVICES, recordsPerFrame: 1, positionsPerSecond: POSITIONS_PER_SECOND, seconds };
  const took = presentRecords();
  const paced: PacedRound[] = [];
  const most: number[] = [];
  await withClient(pipeline.postgresUrl, async (client) => {
    for (let round = 0; round <= (quick ? 1 : 5); round += 1) {
      paced.push(await pacedRound(pipeline, client, { ...pace, firstRecord: took(recordsOf(pace)) }));
    }
    while (most.length < paced.length) most.push(await fastest(pipeline, client, took(FRAMES_EACH)));
  });
  await pipeline.stop();
  // The first has warmed up what is compiled when it runs often.
  return paced.map((round, n) => ({ paced: round, mostPerSecond: most[n] ?? Number.NaN })).slice(1);
}

function figuresOf(name: string, rounds: readonly Round[]): Figure[] {
  const of = (pick: (round: Round) => number): number[] => rounds.map(pick);
  return [
    { name: `${name}: acknowledgement, p50`, unit: 'ms', values: of(({ paced }) => paced.sent.latencyMs.p50) },
    { name: `${name}: acknowledgement, p99`, unit: 'ms', values: of(({ paced }) => paced.sent.latencyMs.p99) },
    { name: `${name}: acknowledgement, most`, unit: 'ms', values: of(({ paced }) => paced.sent.latencyMs.most) },
    { name: `${name}: acknowledgement since due, p99`, unit: 'ms', values: of(({ paced }) => paced.sent.latencySinceDueMs.p99) },
    { name: `${name}: receipt to commit, p50`, unit: 'ms', values: of(({ paced }) => paced.commitMs.p50) },
    { name: `${name}: receipt to commit, p99`, unit: 'ms', values: of(({ paced }) => paced.commitMs.p99) },
    { name: `${name}: acknowledged as fast as it goes`, unit: 'positions/s', values: of(({ mostPerSecond }) => mostPerSecond) },
    ...Object.keys(rounds[0]?.paced.micros ?? {}).map((process) => (
      { name: `${name}: CPU of ${process} a position`, unit: 'µs', values: of(({ paced }) => paced.micros[process] ?? Number.NaN) })),
  ];
}

/** The goals are for the level that is the default; the others are given beside it. */
function ratiosOf(rounds: readonly Round[]): Ratio[] {
  return [
    {
      name: 'acknowledgement, p99 ÷ 25 ms', goal: 'at most 1',
      values: rounds.map(({ paced }) => paced.sent.latencyMs.p99 / GOALS_MS.acknowledgement),
    },
    {
      name: 'receipt to commit, p99 ÷ 60 ms', goal: 'at most 1',
      values: rounds.map(({ paced }) => paced.commitMs.p99 / GOALS_MS.commit),
    },
  ];
}

async function run({ servers, quick, say }: BenchOptions): Promise<Outcome> {
  const { levels, notes, stop } = await startLevels(servers);
  const rounds: Record<string, readonly Round[]> = {};
  for (const level of levels) {
    say(`  ${level.name}: ${DEVICES} trackers connect`);
    rounds[level.name] = await roundsOf(servers, level, quick);
  }
  await stop();
  const [first] = levels;
  return {
    figures: levels.flatMap(({ name }) => figuresOf(name, rounds[name] ?? [])),
    ratios: ratiosOf(rounds[first?.name ?? ''] ?? []),
    notes,
  };
}

export const paced: Benchmark = {
  name: 'paced',
  what: `${POSITIONS_PER_SECOND} positions/s of ${DEVICES} trackers, at each level of durability (goals: p99 25 ms and 60 ms)`,
  run,
};
