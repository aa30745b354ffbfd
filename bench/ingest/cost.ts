/**
 * What a frame costs ingest in CPU time, in a process of its own with Redis behind it, next to a server that only
 * counts bytes and answers. The same trackers, in a third process, send the same frames to one and to the other in
 * turns.
 */
import type { Benchmark, BenchOptions, Figure, Outcome, Ratio } from '../benchmark.ts';
import { Forked } from '../support/forked.ts';
import { flushRedis } from '../support/redis.ts';
import { takeTurns } from '../support/rounds.ts';
import { sampleFrame } from '../support/sample-frames.ts';
import { over } from '../support/statistics.ts';
import { startSystem } from '../support/system.ts';
import { Trackers } from '../support/trackers.ts';
import { CpuMeter } from '../support/usage.ts';
import type { NullSinkAnswer, NullSinkCommand } from './null-sink.ts';

const DEVICES = 200;

interface Round {
  readonly micros: number;
  readonly redisMicros: number;
  readonly framesPerSecond: number;
}

interface Load {
  readonly framesEach: number;
  readonly recordsPerFrame: number;
}

/** The frames of one round to the server behind `port`, whose process is `pid`. */
async function roundOf(trackers: Trackers, load: Load, pid: number, redisPid: number): Promise<Round> {
  await trackers.ask({ type: 'prepare', plan: { devices: DEVICES, firstRecord: 0, ...load } });
  const meter = new CpuMeter({ server: pid, redis: redisPid });
  await meter.start();
  const { frames, seconds } = await trackers.ask({ type: 'send' });
  const { server = Number.NaN, redis = Number.NaN } = await meter.microsEach(frames);
  return { micros: server, redisMicros: redis, framesPerSecond: frames / seconds };
}

async function compare({ servers, quick }: BenchOptions, recordsPerFrame: number): Promise<Required<Omit<Outcome, 'notes'>>> {
  const load = { framesEach: quick ? 100 : 500, recordsPerFrame };
  const { redis } = servers;
  await flushRedis(redis.url);
  const ingest = await startSystem({ ROLES: 'ingest', REDIS_URL: redis.url });
  const sink = new Forked<NullSinkCommand, NullSinkAnswer>(new URL('null-sink.ts', import.meta.url));
  const { port } = await sink.ask({ frameBytes: sampleFrame(0, 0, recordsPerFrame).length, recordsPerFrame });
  const ours = new Trackers();
  const theirs = new Trackers();
  for (const [trackers, to] of [[ours, ingest.trackerPort], [theirs, port]] as const) {
    await trackers.ask({ type: 'prepare', plan: { devices: DEVICES, firstRecord: 0, ...load, framesEach: 0 } });
    await trackers.ask({ type: 'connect', ports: [to] });
  }
  const { odograph, nullSink } = await takeTurns({
    odograph: async () => {
      const round = await roundOf(ours, load, ingest.program.pid, redis.pid);
      await flushRedis(redis.url);
      return round;
    },
    nullSink: () => roundOf(theirs, load, sink.pid, redis.pid),
  }, quick ? 3 : 7);
  for (const process of [ours, theirs, sink]) process.stop();
  await ingest.program.stop();
  const micros = [odograph.map((round) => round.micros), nullSink.map((round) => round.micros)] as const;
  const of = `of ${recordsPerFrame}`;
  const figures: Figure[] = [
    { name: `ingest, CPU a frame ${of}`, unit: 'µs', values: micros[0] },
    { name: `null sink, CPU a frame ${of}`, unit: 'µs', values: micros[1] },
    { name: `Redis behind ingest, CPU a frame ${of}`, unit: 'µs', values: odograph.map((round) => round.redisMicros) },
    { name: `ingest, frames ${of} acknowledged`, unit: '/s', values: odograph.map((round) => round.framesPerSecond) },
    { name: `null sink, frames ${of} acknowledged`, unit: '/s', values: nullSink.map((round) => round.framesPerSecond) },
  ];
  const goal = recordsPerFrame === 1 ? 'at most 2.5' : 'no goal';
  const ratios: Ratio[] = [{ name: `ingest ÷ null sink, CPU a frame ${of}`, goal, values: over(...micros) }];
  return { figures, ratios };
}

async function run(options: BenchOptions): Promise<Outcome> {
  const outcomes = [await compare(options, 1), await compare(options, 10)];
  return { figures: outcomes.flatMap(({ figures }) => figures), ratios: outcomes.flatMap(({ ratios }) => ratios) };
}

export const cost: Benchmark = {
  name: 'ingest',
  what: `CPU of ingest a frame, ${DEVICES} trackers with one frame on its way each, next to a server that only counts bytes`,
  run,
};
