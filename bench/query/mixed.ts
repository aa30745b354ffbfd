/**
 * Fifty requests a second, of every kind, for a while: each is sent when it is due, whether those before it are
 * answered or not, and waiting for its turn counts. What is not answered with 200 is an error.
 */
import { pause } from '../../src/shared/wait.ts';
import { quantile } from '../support/statistics.ts';
import type { Answer, ApiClient } from './api-client.ts';

/** Requests of one kind in every second. */
export interface Kind {
  readonly name: string;
  readonly perSecond: number;
  path(n: number): string;
}

export interface KindResult {
  readonly name: string;
  readonly p50: number;
  readonly p95: number;
  readonly answered: number;
  readonly hits: number;
}

export interface MixedResult {
  readonly kinds: readonly KindResult[];
  readonly errors: readonly string[];
}

const SECOND_MS = 1_000;
const never = new AbortController().signal;

interface Due {
  readonly kind: number;
  /** After the beginning, ms. */
  readonly atMs: number;
  readonly n: number;
}

/** The requests of every kind evenly spread over each second. */
function scheduleOf(kinds: readonly Kind[], seconds: number): Due[] {
  return kinds.flatMap(({ perSecond }, kind) => Array.from({ length: perSecond * seconds }, (_, n) => (
    { kind, n, atMs: ((n + (kind + 1) / (kinds.length + 1)) * SECOND_MS) / perSecond })))
    .toSorted((a, b) => a.atMs - b.atMs);
}

function resultOf(name: string, answers: readonly Answer[]): KindResult {
  const sorted = answers.map(({ ms }) => ms).toSorted((a, b) => a - b);
  const hits = answers.filter(({ isHit }) => isHit).length;
  return { name, p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), answered: sorted.length, hits };
}

export async function askMixed(client: ApiClient, kinds: readonly Kind[], seconds: number): Promise<MixedResult> {
  const answers = kinds.map((): Answer[] => []);
  const errors: string[] = [];
  const startedAt = performance.now();
  const ask = async ({ kind, n, atMs }: Due): Promise<void> => {
    const lateMs = performance.now() - startedAt - atMs;
    try {
      const answer = await client.ask(kinds[kind]?.path(n) ?? '');
      answers[kind]?.push({ ...answer, ms: answer.ms + lateMs });
    } catch (error) {
      errors.push(String(error));
    }
  };
  const asked: Promise<void>[] = [];
  for (const due of scheduleOf(kinds, seconds)) {
    const waitMs = startedAt + due.atMs - performance.now();
    if (waitMs > 0) await pause(waitMs, never);
    asked.push(ask(due));
  }
  await Promise.all(asked);
  return { kinds: kinds.map(({ name }, kind) => resultOf(name, answers[kind] ?? [])), errors };
}
