/**
 * Answers of routes that go through the cache. What is in it is sent as it is, with the tag that it was kept with; how
 * it was come by stands in `Cache-Status` (RFC 9211).
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isUnchanged } from '../../http/etag.ts';
import { clientSignal, linkNext } from '../answer.ts';
import { problemOf } from '../database-problem.ts';
import type { QueryParts } from '../parts.ts';
import type { DeviceFilter } from '../visible-devices.ts';
import type { CacheResult, Found } from './answer-cache.ts';
import { ttlOf } from './answer-cache.ts';
import { cacheKey } from './cache-key.ts';

export interface CachedReply {
  /** For metrics, and in the key. */
  readonly question: string;
  /** What the caller sees. */
  readonly seen: DeviceFilter;
  /** All else that the answer depends on. */
  readonly key: readonly unknown[];
  /** First instant after the range, epoch milliseconds. */
  readonly to: number;
  readonly source: string;
  /** What becomes the JSON of the answer. */
  readonly work: (signal: AbortSignal) => Promise<object>;
}

const STATUS: Readonly<Record<CacheResult, string>> = {
  hit: 'odograph; hit',
  miss: 'odograph; fwd=miss',
  shared: 'odograph; fwd=miss; collapsed',
  bypass: 'odograph; fwd=bypass',
};

type Parts = Pick<QueryParts, 'cache' | 'protection'>;

async function find(
  { cache }: Parts,
  { question, seen, key, to, work }: CachedReply,
  signal: AbortSignal,
): Promise<Found> {
  try {
    return await cache.get({
      key: cacheKey(question, seen, key),
      ttlMs: ttlOf(to, Date.now()),
      work,
    }, signal);
  } catch (error) {
    throw problemOf(error, signal);
  }
}

export async function sendCached(
  parts: Parts,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  cached: CachedReply,
): Promise<FastifyReply> {
  const startedAt = performance.now();
  const { answer, result } = await find(parts, cached, clientSignal(reply));
  const { protection } = parts;
  const { question, source } = cached;
  protection.cacheAsked(question, result);
  protection.answered(question, source, result === 'hit', performance.now() - startedAt);
  void reply.header('cache-status', STATUS[result]);
  linkNext(request, reply, answer.next);
  if (isUnchanged(request, reply, answer.tag)) return reply.code(304).send();
  return reply.code(200).type('application/json; charset=utf-8').send(answer.body);
}
