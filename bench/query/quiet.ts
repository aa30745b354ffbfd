/** One question after the other, over HTTP and as plain SQL over Traccar's tables, in turns. */
import type { Client } from 'pg';
import type { Figure, Ratio } from '../benchmark.ts';
import { takeTurns } from '../support/rounds.ts';
import { over, quantile } from '../support/statistics.ts';
import type { Answer, ApiClient } from './api-client.ts';
import type { Question } from './questions.ts';

/** Quantiles of a round, ms. */
interface Round {
  readonly p50: number;
  readonly p95: number;
}

interface Measured {
  readonly name: string;
  readonly goalMs: number;
  readonly http: readonly Round[];
  /** Absent: there is nothing to compare with. */
  readonly plain?: readonly Round[];
}

interface Options {
  readonly client: ApiClient;
  /** Of the database with Traccar's tables. */
  readonly database: Client;
  readonly rounds: number;
  /** A path that is asked again and again. */
  readonly cached: string;
}

/** As a browser asks. */
const COMPRESSED = { encoding: 'br', each: 20 } as const;
const HIT = { name: 'the same, from the cache', goalMs: 3, each: 200 };
const KB = 1_000;
const AS_TEXT = { getTypeParser: () => (text: unknown): unknown => text };

async function repeat(each: number, ask: () => Promise<number>): Promise<Round> {
  const times: number[] = [];
  for (let n = 0; n < each; n += 1) times.push(await ask());
  times.sort((a, b) => a - b);
  return { p50: quantile(times, 0.5), p95: quantile(times, 0.95) };
}

/** Nothing is made of the rows but text. */
async function askPlain(database: Client, text: string, values: readonly unknown[]): Promise<number> {
  const startedAt = performance.now();
  await database.query({ text, values: [...values], rowMode: 'array', types: AS_TEXT });
  return performance.now() - startedAt;
}

async function measureOne({ client, database, rounds }: Options, question: Question): Promise<Measured> {
  const { name, goalMs, each } = question;
  let asked = 0;
  let askedPlain = 0;
  const { http, plain } = await takeTurns({
    http: () => repeat(each, async () => {
      const { ms, isHit } = await client.ask(question.path(asked));
      asked += 1;
      if (isHit) throw new Error(`${name} came out of the cache`);
      return ms;
    }),
    plain: () => repeat(each, async () => {
      const { text, values } = question.plain(askedPlain);
      askedPlain += 1;
      return askPlain(database, text, values);
    }),
  }, rounds);
  return { name, goalMs, http, plain };
}

async function measureHits({ client, rounds, cached }: Options): Promise<Measured> {
  await client.ask(cached);
  const { http } = await takeTurns({
    http: () => repeat(HIT.each, async () => {
      const { ms, isHit } = await client.ask(cached);
      if (!isHit) throw new Error('the cache had nothing');
      return ms;
    }),
  }, rounds);
  return { ...HIT, http };
}

/** How large answers are, and what compression takes and saves. */
export async function measureSizes(client: ApiClient, questions: readonly Question[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { name, each, path } of questions) {
    const plain = await client.ask(path(0));
    const compressed: Answer[] = [];
    const { p50 } = await repeat(Math.min(each, COMPRESSED.each), async () => {
      const answer = await client.ask(path(compressed.length), COMPRESSED.encoding);
      compressed.push(answer);
      return answer.ms;
    });
    figures.push(
      { name: `${name}, size`, unit: 'KB', values: [plain.bytes / KB] },
      { name: `${name}, size in Brotli`, unit: 'KB', values: [(compressed[0]?.bytes ?? Number.NaN) / KB] },
      { name: `${name}, in Brotli, p50`, unit: 'ms', values: [p50] });
  }
  return figures;
}

export async function measureQuietly(options: Options, questions: readonly Question[]): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const question of questions) measured.push(await measureOne(options, question));
  return [...measured, await measureHits(options)];
}

/** @param plainDevices what the plain SQL is about, for the names */
export function quietFigures(measured: readonly Measured[], plainDevices: string): Figure[] {
  const quantiles = (name: string, rounds: readonly Round[]): Figure[] => (['p50', 'p95'] as const).map((share) => (
    { name: `${name}, ${share}`, unit: 'ms', values: rounds.map((round) => round[share]) }));
  return measured.flatMap(({ name, http, plain }) => [
    ...quantiles(name, http), ...(plain === undefined ? [] : quantiles(`${name}, plain SQL (${plainDevices})`, plain)),
  ]);
}

export function quietRatios(measured: readonly Measured[]): Ratio[] {
  return measured.flatMap(({ name, goalMs, http, plain = [] }) => [
    { name: `${name}, p95 ÷ ${goalMs} ms`, goal: 'at most 1', values: http.map(({ p95 }) => p95 / goalMs) },
    ...(plain.length === 0 ? [] : [{
      name: `${name}, plain SQL ÷ over HTTP, p50`, goal: 'no goal',
      values: over(plain.map(({ p50 }) => p50), http.map(({ p50 }) => p50)),
    }]),
  ]);
}
