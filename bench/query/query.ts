/**
 * Questions over HTTP, to a process of the role query, about 30 days of 1,000 devices: one after the other, beside
 * plain SQL over Traccar's tables; then fifty a second of every kind while 5,000 positions a second are stored.
 */
import { statfs } from 'node:fs/promises';
import { loadavg } from 'node:os';
import type { Benchmark, BenchOptions, Outcome } from '../benchmark.ts';
import { rollUpHistory } from '../storage/history-rollups.ts';
import type { History } from '../storage/history.ts';
import { cutToHistory, historyDatabase, nextRecord, storageOf } from '../storage/history.ts';
import { withClient } from '../support/database.ts';
import { flushRedis } from '../support/redis.ts';
import { imeisOf, presentRecord } from '../support/sample-frames.ts';
import { startSystem } from '../support/system.ts';
import type { PacedRound } from '../whole/paced-round.ts';
import { pacedRound } from '../whole/paced-round.ts';
import { startPipeline } from '../whole/pipeline.ts';
import { ApiClient } from './api-client.ts';
import type { Kind, MixedResult } from './mixed.ts';
import { askMixed } from './mixed.ts';
import { questionsOf, weekPath } from './questions.ts';
import { measureQuietly, measureSizes, quietFigures, quietRatios } from './quiet.ts';
import { copiedDevices, copyToTraccarTables } from './traccar-tables.ts';

const DEVICES = 1_000;
const MILLION = 1_000_000;
const HOUR_MS = 3_600_000;
const TOKEN = 'token-of-the-administrator';
const STORED_PER_SECOND = 5_000;
const RECORDS_PER_FRAME = 10;
/** What a hundred million rows take without compression, and some room. */
const LARGE_DISK_BYTES = 50e9;

type Questions = ReturnType<typeof questionsOf>;

/** Fifty a second, as of dashboards that stay open: maps and the same series again and again, sometimes a track. */
function kindsOf({ lastDay, week, latest, month }: Questions, cached: string, firstMonth: number): Kind[] {
  return [
    { ...lastDay, perSecond: 3 },
    { ...week, perSecond: 10 },
    { ...latest, perSecond: 10 },
    // Never the same, so that none comes from the cache.
    { ...month, perSecond: 1, path: (n) => month.path(firstMonth + n) },
    { name: 'series from the cache', perSecond: 26, path: () => cached },
  ];
}

interface Mixed {
  readonly asked: MixedResult;
  readonly stored: PacedRound;
}

/** Both at once, over the same database and Redis. */
async function askWhileStoring(
  { servers }: BenchOptions, url: string, client: ApiClient, kinds: readonly Kind[], seconds: number,
): Promise<Mixed> {
  const pipeline = await startPipeline(servers, { devices: DEVICES, postgresUrl: url });
  try {
    return await withClient(url, async (database) => {
      const pace = {
        devices: DEVICES, recordsPerFrame: RECORDS_PER_FRAME, positionsPerSecond: STORED_PER_SECOND, seconds,
        firstRecord: Math.max(presentRecord(), await nextRecord(database)),
      };
      const storing = pacedRound(pipeline, database, pace);
      const [stored, asked] = await Promise.all([storing, askMixed(client, kinds, seconds)]);
      return { stored, asked };
    });
  } finally {
    await pipeline.stop();
  }
}

function mixedOutcome({ asked, stored }: Mixed): Outcome {
  const total = asked.kinds.reduce((sum, { answered }) => sum + answered, 0);
  return {
    figures: [
      ...asked.kinds.flatMap(({ name, p50, p95 }) => [
        { name: `mixed: ${name}, p50`, unit: 'ms', values: [p50] },
        { name: `mixed: ${name}, p95`, unit: 'ms', values: [p95] },
      ]),
      { name: 'mixed: answered', unit: 'requests', values: [total] },
      { name: 'mixed: errors', unit: 'requests', values: [asked.errors.length] },
      { name: 'mixed: acknowledged', unit: 'positions/s', values: [(stored.sent.frames * RECORDS_PER_FRAME) / stored.sent.seconds] },
      { name: 'mixed: receipt to commit, p50', unit: 'ms', values: [stored.commitMs.p50] },
      { name: 'mixed: receipt to commit, p99', unit: 'ms', values: [stored.commitMs.p99] },
      { name: 'mixed: not stored yet at the end', unit: 'positions', values: [stored.backlog] },
    ],
    notes: asked.errors.slice(0, 3).map((error) => `error: ${error}`),
  };
}

/** Nothing but the history, with rollups, and Traccar's tables beside it. */
async function prepare(options: BenchOptions, history: History) {
  const url = await historyDatabase(options, history);
  const range = await withClient(url, (client) => cutToHistory(client, history));
  await rollUpHistory(url, range, options.say);
  const plainDevices = copiedDevices(DEVICES, history.rows);
  await copyToTraccarTables(url, plainDevices, range, options.say);
  return { url, range, plainDevices };
}

function notesOf(history: History, storage: string, plainDevices: number, load: readonly number[]): string[] {
  return [
    `${history.rows.toLocaleString('en')} rows, ${storage}; load average before and after ${load.map((one) => one.toFixed(1)).join(' and ')}`,
    `Plain SQL has ${plainDevices.toLocaleString('en')} of ${DEVICES.toLocaleString('en')} devices with all their time and the others with their newest position, in plain tables without partitions; it is put to PostgreSQL directly, nothing is made of its rows, and it has fewer rows in its way where it has fewer devices.`,
    'Mixed questions are about a range with the hour that is being written, and come a second: 3 days of a device, 10 weeks, 10 times the latest state, a month of the fleet (another one every time), 26 times a series that is in the cache.',
    'Over HTTP is the whole answer: authorisation, SQL, JSON. No question but the last is answered from the cache.',
  ];
}

async function measure(options: BenchOptions, history: History): Promise<Outcome> {
  const { quick, servers } = options;
  const { url, range, plainDevices } = await prepare(options, history);
  const rounds = quick ? 1 : 3;
  const subject = { imeis: imeisOf(DEVICES), plainDevices, range };
  const questions = questionsOf(subject);
  // A week that none of the questions is about.
  const cached = weekPath(imeisOf(DEVICES)[0] ?? '', range.to - HOUR_MS);
  await flushRedis(servers.redis.url);
  const loadBefore = loadavg()[0] ?? Number.NaN;
  const system = await startSystem({ ROLES: 'query', POSTGRES_URL: url, REDIS_URL: servers.redis.url, AUTH_TOKEN: TOKEN });
  const client = new ApiClient((await system.program.logged('listening for requests')).port ?? 0, TOKEN);
  try {
    return await withClient(url, async (database) => {
      const measured = await measureQuietly({ client, database, rounds, cached }, Object.values(questions));
      const sizes = await measureSizes(client, [questions.lastDay, questions.latest]);
      const firstMonth = questions.month.each * (rounds + 1);
      const untilNow = questionsOf({ ...subject, range: { ...range, to: range.to + HOUR_MS } });
      const kinds = kindsOf(untilNow, cached, firstMonth);
      const mixed = mixedOutcome(await askWhileStoring(options, url, client, kinds, quick ? 10 : 60));
      const load = [loadBefore, loadavg()[0] ?? Number.NaN];
      return {
        figures: [...quietFigures(measured, `${plainDevices.toLocaleString('en')} devices`), ...sizes, ...mixed.figures],
        ratios: quietRatios(measured),
        notes: [...notesOf(history, await storageOf(database), plainDevices, load), ...(mixed.notes ?? [])],
      };
    });
  } finally {
    client.stop();
    await system.program.stop();
  }
}

function rowsOf({ quick, large, rows }: BenchOptions): number {
  if (rows !== undefined) return rows;
  if (quick && !large) return MILLION / 10;
  return large ? 100 * MILLION : MILLION;
}

async function runOnPartitions(options: BenchOptions): Promise<Outcome> {
  const wanted = rowsOf(options);
  const { bavail, bsize } = await statfs(options.servers.folder);
  const isTooLarge = options.rows === undefined && wanted === 100 * MILLION && bavail * bsize < LARGE_DISK_BYTES;
  const rows = isTooLarge ? 10 * MILLION : wanted;
  const outcome = await measure(options, { devices: DEVICES, rows, storage: 'partitions' });
  if (!isTooLarge) return outcome;
  return { ...outcome, notes: [...(outcome.notes ?? []), '10 million rows in the place of 100: the disk has less than 50 GB left'] };
}

export const query: Benchmark = {
  name: 'query',
  what: 'questions over HTTP beside plain SQL over Traccar\'s tables, alone and while 5,000 positions/s are stored (100 million rows with --large)',
  run: (options) => measure(options, { devices: DEVICES, rows: rowsOf(options) }),
};

export const queryPartitions: Benchmark = {
  name: 'query-partitions',
  what: 'the same on native partitions, whether the server has TimescaleDB or not',
  run: runOnPartitions,
};
