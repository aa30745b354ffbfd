/**
 * Twenty thousand trackers that are connected and say nothing, all at once: what a connection costs ingest in memory.
 * Then the same with a frame of each every ten seconds.
 */
import { readFile } from 'node:fs/promises';
import { pause } from '../../src/shared/wait.ts';
import type { Benchmark, BenchOptions, Outcome } from '../benchmark.ts';
import { flushRedis } from '../support/redis.ts';
import type { System } from '../support/system.ts';
import { startSystem } from '../support/system.ts';
import { Trackers } from '../support/trackers.ts';
import { cpuSeconds, residentBytes } from '../support/usage.ts';

const KIB = 1024;
const FRAME_INTERVAL_S = 10;
/** Files that a process has open beside its connections, at most. */
const OTHER_FILES = 500;
const GOAL_KIB = 8;

const never = new AbortController().signal;

/** A process of ingest with a process of trackers. */
interface Share {
  readonly system: System;
  readonly trackers: Trackers;
  readonly connections: number;
}

/** How many files a process may have open. */
async function fileLimit(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8');
  return Number(/^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1]);
}

/** One process of ingest, or as many as the limit of open files makes necessary. */
async function start({ servers }: BenchOptions, connections: number): Promise<Share[]> {
  await flushRedis(servers.redis.url);
  const processes = Math.ceil(connections / ((await fileLimit()) - OTHER_FILES));
  const settings = { ROLES: 'ingest', REDIS_URL: servers.redis.url, INGEST_NEW_DEVICES_PER_MINUTE: '0' };
  return await Promise.all(Array.from({ length: processes }, async () => {
    const system = await startSystem(settings);
    return { system, trackers: new Trackers(), connections: Math.ceil(connections / processes) };
  }));
}

async function resident(shares: readonly Share[]): Promise<number> {
  const bytes = await Promise.all(shares.map(({ system }) => residentBytes(system.program.pid)));
  return bytes.reduce((sum, one) => sum + one, 0);
}

async function cpu(shares: readonly Share[]): Promise<number> {
  const seconds = await Promise.all(shares.map(({ system }) => cpuSeconds(system.program.pid)));
  return seconds.reduce((sum, one) => sum + one, 0);
}

/** All are connected; resolves after `seconds` of silence with the cores that silence takes. */
async function beSilent(shares: readonly Share[], framesEach: number, seconds: number): Promise<number> {
  await Promise.all(shares.map(async ({ system, trackers, connections: devices }) => {
    await trackers.ask({ type: 'prepare', plan: { devices, framesEach, recordsPerFrame: 1, firstRecord: 0 } });
    await trackers.ask({ type: 'connect', ports: [system.trackerPort] });
  }));
  const before = await cpu(shares);
  await pause(seconds * 1_000, never);
  return ((await cpu(shares)) - before) / seconds;
}

/** A frame of each every ten seconds; resolves with the longest p99 of the acknowledgements, milliseconds. */
async function beBusy(shares: readonly Share[], seconds: number): Promise<number> {
  const answers = await Promise.all(shares.map(({ trackers, connections }) =>
    trackers.ask({ type: 'pace', framesPerSecond: connections / FRAME_INTERVAL_S, seconds })));
  return Math.max(...answers.map(({ latencyMs }) => latencyMs.p99));
}

async function run(options: BenchOptions): Promise<Outcome> {
  const [count, seconds] = options.quick ? [2_000, 5] : [20_000, 30];
  const shares = await start(options, count);
  const connections = shares.reduce((sum, share) => sum + share.connections, 0);
  const atFirst = await resident(shares);
  const idleCores = await beSilent(shares, Math.ceil(seconds / FRAME_INTERVAL_S) + 1, seconds);
  const idleKib = ((await resident(shares)) - atFirst) / connections / KIB;
  const before = await cpu(shares);
  const p99 = await beBusy(shares, seconds);
  const busyCores = ((await cpu(shares)) - before) / seconds;
  const busyKib = ((await resident(shares)) - atFirst) / connections / KIB;
  for (const { trackers, system } of shares) {
    trackers.stop();
    await system.program.stop();
  }
  return {
    figures: [
      { name: 'idle, resident memory a connection', unit: 'KiB', values: [idleKib] },
      { name: 'idle, CPU of ingest', unit: 'cores', values: [idleCores] },
      { name: 'a frame every 10 s, resident memory a connection', unit: 'KiB', values: [busyKib] },
      { name: 'a frame every 10 s, CPU of ingest', unit: 'cores', values: [busyCores] },
      { name: 'a frame every 10 s, acknowledgement p99', unit: 'ms', values: [p99] },
    ],
    ratios: [{ name: 'idle connection ÷ 8 KiB', goal: 'at most 1', values: [idleKib / GOAL_KIB] }],
    notes: [`${connections} connections at once, to ${shares.length} process(es) of ingest`],
  };
}

export const idle: Benchmark = {
  name: 'connections',
  what: '20,000 trackers connected at once, idle and with a frame every 10 s each (goal: 8 KiB each when idle)',
  run,
};
