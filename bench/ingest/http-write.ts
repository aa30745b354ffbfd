/**
 * What `POST /v1/records` takes: 202s and records a second in requests of 1, 100 and 1,000 records, next to the same
 * records as frames of trackers over TCP, in turns, into the same ingest process.
 */
import type { Benchmark, BenchOptions, Figure, Outcome } from '../benchmark.ts';
import { Forked } from '../support/forked.ts';
import { flushRedis } from '../support/redis.ts';
import { takeTurns } from '../support/rounds.ts';
import { over } from '../support/statistics.ts';
import type { System } from '../support/system.ts';
import { startSystem } from '../support/system.ts';
import { Trackers } from '../support/trackers.ts';
import { CpuMeter } from '../support/usage.ts';
import type { HttpClientsAnswer, HttpClientsCommand } from './http-clients-process.ts';

const CLIENTS = 64;
const TOKEN = 'token-of-the-administrator';

interface Round {
  /** Answers that say that the records are kept. */
  readonly answersPerSecond: number;
  readonly recordsPerSecond: number;
  /** CPU of ingest a record, microseconds. */
  readonly micros: number;
}

interface Load {
  readonly each: number;
  readonly records: number;
}

async function measured(
  ingest: System, records: number, send: () => Promise<{ answers: number; seconds: number }>,
): Promise<Round> {
  const meter = new CpuMeter({ ingest: ingest.program.pid });
  await meter.start();
  const { answers, seconds } = await send();
  const { ingest: micros = Number.NaN } = await meter.microsEach(answers * records);
  return { answersPerSecond: answers / seconds, recordsPerSecond: (answers * records) / seconds, micros };
}

async function compare({ servers: { redis }, quick }: BenchOptions) {
  await flushRedis(redis.url);
  const settings = { ROLES: 'ingest', REDIS_URL: redis.url, AUTH_TOKEN: TOKEN, INGEST_HTTP_REQUESTS_PER_MINUTE: '100000000' };
  const ingest = await startSystem(settings);
  const port = (await ingest.program.logged('listening for requests')).port ?? 0;
  const trackers = new Trackers();
  const clients = new Forked<HttpClientsCommand, HttpClientsAnswer>(new URL('http-clients-process.ts', import.meta.url));
  await trackers.ask({ type: 'prepare', plan: { devices: CLIENTS, framesEach: 0, recordsPerFrame: 1, firstRecord: 0 } });
  await trackers.ask({ type: 'connect', ports: [ingest.trackerPort] });
  const http = async ({ each, records }: Load): Promise<Round> => {
    await flushRedis(redis.url);
    return await measured(ingest, records, async () => {
      const load = { clients: CLIENTS, requestsEach: each, recordsPerRequest: records };
      const { requests, seconds } = await clients.ask({ port, token: TOKEN, ...load });
      return { answers: requests, seconds };
    });
  };
  const tcp = async ({ each, records }: Load): Promise<Round> => {
    await flushRedis(redis.url);
    await trackers.ask({ type: 'prepare', plan: { devices: CLIENTS, framesEach: each, recordsPerFrame: records, firstRecord: 0 } });
    return await measured(ingest, records, async () => {
      const { frames, seconds } = await trackers.ask({ type: 'send' });
      return { answers: frames, seconds };
    });
  };
  const size = quick ? 1 : 5;
  const rounds = await takeTurns({
    http1: () => http({ each: 60 * size, records: 1 }),
    http100: () => http({ each: 10 * size, records: 100 }),
    http1000: () => http({ each: 2 * size, records: 1_000 }),
    tcp1: () => tcp({ each: 200 * size, records: 1 }),
    tcp100: () => tcp({ each: 10 * size, records: 100 }),
  }, quick ? 3 : 7);
  trackers.stop();
  clients.stop();
  await ingest.program.stop();
  return rounds;
}

function figuresOf(name: string, answers: string, rounds: readonly Round[]): Figure[] {
  return [
    { name: `${name}, ${answers}`, unit: '/s', values: rounds.map((round) => round.answersPerSecond) },
    { name: `${name}, records`, unit: '/s', values: rounds.map((round) => round.recordsPerSecond) },
    { name: `${name}, CPU of ingest a record`, unit: 'µs', values: rounds.map((round) => round.micros) },
  ];
}

async function run(options: BenchOptions): Promise<Outcome> {
  const { http1, http100, http1000, tcp1, tcp100 } = await compare(options);
  const cpu = (rounds: readonly Round[]): number[] => rounds.map(({ micros }) => micros);
  return {
    figures: [
      ...figuresOf('HTTP, requests of 1', '202s', http1),
      ...figuresOf('HTTP, requests of 100', '202s', http100),
      ...figuresOf('HTTP, requests of 1,000', '202s', http1000),
      ...figuresOf('TCP, frames of 1', 'acknowledgements', tcp1),
      ...figuresOf('TCP, frames of 100', 'acknowledgements', tcp100),
    ],
    ratios: [
      { name: 'HTTP ÷ TCP, CPU a record of 1', goal: 'no goal', values: over(cpu(http1), cpu(tcp1)) },
      { name: 'HTTP ÷ TCP, CPU a record of 100', goal: 'no goal', values: over(cpu(http100), cpu(tcp100)) },
    ],
  };
}

export const httpWrite: Benchmark = {
  name: 'http-write',
  what: `POST /v1/records from ${CLIENTS} clients with one request on its way each, next to as many trackers over TCP`,
  run,
};
