/** Redis of a run, as benchmarks use it. */
import type { Redis } from '../../src/shared/redis.ts';
import { connectRedis, waitForRedis } from '../../src/shared/redis.ts';

const TIMEOUT_MS = 60_000;

/** Runs `work` on a connection of its own. */
export async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = connectRedis(url, { name: 'bench', commandTimeoutMs: TIMEOUT_MS, onError: () => undefined });
  try {
    await waitForRedis(redis, AbortSignal.timeout(TIMEOUT_MS));
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** Leaves nothing, neither in Redis nor, once it is rewritten, in its append-only file. */
export async function flushRedis(url: string): Promise<void> {
  await withRedis(url, (redis) => redis.flushall());
}
