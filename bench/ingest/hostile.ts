/**
 * Ingest in a process of its own, fifty trackers, and attackers in a third process: how long the trackers wait for
 * their acknowledgements while nothing else happens, and during each attack. Quiet phases and attacks take turns.
 *
 * The attackers share the CPUs of this machine with what they attack: they connect as fast as they are told to, and not
 * as fast as they could, or the figures would be those of the scheduler.
 */
import { DEVICE_LIST_DIGEST_KEY, ENABLED_DEVICES_KEY } from '../../src/shared/contracts/device-list.ts';
import { connectRedis, waitForRedis } from '../../src/shared/redis.ts';
import { pause } from '../../src/shared/wait.ts';
import type { Attack } from '../../test/hostile/attack.ts';
import { Attackers } from '../../test/hostile/attackers.ts';
import type { Benchmark, BenchOptions, Figure, Outcome, Ratio } from '../benchmark.ts';
import { quantile } from '../support/statistics.ts';
import type { System } from '../support/system.ts';
import { startSystem } from '../support/system.ts';
import { residentBytes } from '../support/usage.ts';
import { QuietTrackers } from './quiet-trackers.ts';

const MIB = 1024 * 1024;
const never = new AbortController().signal;

interface Assault {
  readonly name: string;
  readonly attack: Omit<Attack, 'port'>;
  readonly settings?: Readonly<Record<string, string>>;
}

const LOGIN_IN_PIECES = { first: '000f3335', drip: { bytes: '33', everyMs: 2_000 } };

const RATE = { atOnce: 50, perSecond: 500 };
const ENDLESS = { ...RATE, connections: 1_000_000 };

const ASSAULTS: readonly Assault[] = [
  {
    name: '9,000 half-open connections',
    attack: { connections: 9_000, addresses: 50, atOnce: 50, perSecond: 1_500, stays: true },
  },
  {
    name: '2,000 logins a byte at a time',
    attack: { ...RATE, connections: 2_000, addresses: 50, stays: true, ...LOGIN_IN_PIECES },
  },
  {
    name: 'a flood from one address',
    attack: { ...ENDLESS, addresses: 1, atOnce: 300 },
    settings: { INGEST_MAX_CONNECTIONS_PER_ADDRESS: '100' },
  },
  { name: 'made-up IMEIs under accept', attack: { ...ENDLESS, addresses: 50, madeUpImeis: true } },
  {
    name: 'made-up IMEIs under reject',
    attack: { ...ENDLESS, addresses: 50, madeUpImeis: true },
    settings: { INGEST_UNKNOWN_DEVICES: 'reject' },
  },
];

interface Phase {
  readonly p50: number;
  readonly p95: number;
}

async function measure(quiet: QuietTrackers, seconds: number): Promise<Phase> {
  quiet.take();
  await pause(seconds * 1_000, never);
  const sorted = quiet.take();
  return { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95) };
}

interface Round {
  readonly before: Phase;
  readonly during: Phase;
  readonly perSecond: number;
  readonly residentMiB: number;
}

async function roundOf(
  system: System, quiet: QuietTrackers, attack: Assault['attack'], seconds: number,
): Promise<Round> {
  const before = await measure(quiet, seconds);
  const attackers = new Attackers();
  await attackers.attack({ ...attack, port: system.trackerPort });
  const during = await measure(quiet, seconds);
  const { opened } = await attackers.report();
  const residentMiB = (await residentBytes(system.program.pid)) / MIB;
  await attackers.hangUp();
  attackers.end();
  await pause(1_000, never);
  return { before, during, perSecond: opened / seconds, residentMiB };
}

type Measured = Required<Omit<Outcome, 'notes'>>;

async function assaulted({ servers, quick, say }: BenchOptions, assault: Assault): Promise<Measured> {
  const { name, attack, settings } = assault;
  say(`  ${name}`);
  const system = await startSystem({ ROLES: 'ingest', REDIS_URL: servers.redis.url, ...settings });
  const quiet = await QuietTrackers.connect(system.trackerPort);
  quiet.start();
  await measure(quiet, 2);
  const rounds: Round[] = [];
  const [count, seconds] = quick ? [1, 3] : [3, 10];
  while (rounds.length < count) rounds.push(await roundOf(system, quiet, attack, seconds));
  await quiet.stop();
  await system.program.stop();
  const of = (pick: (round: Round) => number): number[] => rounds.map(pick);
  const figures: Figure[] = [
    { name: `${name}: quiet, p50`, unit: 'ms', values: of(({ before }) => before.p50) },
    { name: `${name}: during, p50`, unit: 'ms', values: of(({ during }) => during.p50) },
    { name: `${name}: quiet, p95`, unit: 'ms', values: of(({ before }) => before.p95) },
    { name: `${name}: during, p95`, unit: 'ms', values: of(({ during }) => during.p95) },
    { name: `${name}: connections opened`, unit: '/s', values: of(({ perSecond }) => perSecond) },
    { name: `${name}: resident memory`, unit: 'MiB', values: of(({ residentMiB }) => residentMiB) },
  ];
  const ratios: Ratio[] = [
    { name: `${name}: p50`, goal: 'at most 2', values: of(({ before, during }) => during.p50 / before.p50) },
    { name: `${name}: p95`, goal: 'at most 2', values: of(({ before, during }) => during.p95 / before.p95) },
  ];
  return { figures, ratios };
}

/** The list of devices in Redis: the fifty, and nobody else. */
async function publishList({ servers }: BenchOptions): Promise<void> {
  const redis = connectRedis(servers.redis.url, { name: 'bench', commandTimeoutMs: 10_000, onError: () => undefined });
  await waitForRedis(redis, AbortSignal.timeout(10_000));
  await redis.flushall();
  await redis.sadd(ENABLED_DEVICES_KEY, ...QuietTrackers.imeis);
  await redis.set(DEVICE_LIST_DIGEST_KEY, 'bench');
  redis.disconnect();
}

async function run(options: BenchOptions): Promise<Outcome> {
  await publishList(options);
  const outcomes: Measured[] = [];
  for (const assault of ASSAULTS) outcomes.push(await assaulted(options, assault));
  return { figures: outcomes.flatMap(({ figures }) => figures), ratios: outcomes.flatMap(({ ratios }) => ratios) };
}

export const hostile: Benchmark = {
  name: 'ingest-hostile',
  what: 'acknowledgement latency of 50 trackers beside attacks (goal: within twice its quiet value)',
  run,
};
