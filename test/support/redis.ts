/** Redis for tests: a logical database of a suite's own on the run's server, or a Redis of its own. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import { startTestRedis } from './local-servers.ts';
import type { PrivateServer } from './private-server.ts';
import { privateServer } from './private-server.ts';

/** As the test servers are configured; database 0 counts. */
const DATABASES = 1024;

/** An empty logical database that no other suite of this run has, `redis://…/N`. */
export async function createRedis(): Promise<{ url: string }> {
  const url = new URL(inject('servers').redisUrl);
  const redis = new Redis(url.href);
  try {
    const number = 1 + ((await redis.incr('suites')) % (DATABASES - 1));
    await redis.select(number);
    await redis.flushdb();
    url.pathname = `/${number}`;
    return { url: url.href };
  } finally {
    redis.disconnect();
  }
}

/** A Redis of the suite's own, to be stopped, killed, frozen or reconfigured. Stop it in the end. */
export async function startPrivateRedis(settings: Readonly<Record<string, string>> = {}): Promise<PrivateServer> {
  const dataDir = await mkdtemp(join(inject('servers').folder, 'redis-'));
  return await privateServer((port) => startTestRedis({ dataDir, settings, ...(port && { port }) }), dataDir);
}
