/** The Redis that the letters are in. */
import type { Settings } from '../config/settings.ts';
import type { Redis } from '../shared/redis.ts';
import { reachRedis } from '../shared/redis.ts';
import { findRunning } from '../shared/runtime-file.ts';

/** Neither a setting nor a running Odograph says where Redis is. */
export class NoRedisError extends Error {
  override readonly name = 'NoRedisError';
}

const CONNECT_TIMEOUT_MS = 5_000;

type ConnectionSettings = Pick<Settings, 'REDIS_URL' | 'ODOGRAPH_DATA_DIR' | 'INGEST_APPEND_TIMEOUT_MS'>;

function urlOf({ REDIS_URL, ODOGRAPH_DATA_DIR: dataDir }: ConnectionSettings): string {
  const url = REDIS_URL ?? findRunning(dataDir)?.redisUrl;
  if (url !== undefined) return url;
  throw new NoRedisError(`REDIS_URL: expected the URL of Redis, since no Odograph runs with its data in ${dataDir}, got nothing`);
}

/**
 * A connection that can take commands.
 * @throws NoRedisError; and Error when Redis does not answer in time
 */
export function connect(settings: ConnectionSettings): Promise<Redis> {
  const options = { name: 'odograph/dead-letters', commandTimeoutMs: settings.INGEST_APPEND_TIMEOUT_MS };
  return reachRedis(urlOf(settings), options, CONNECT_TIMEOUT_MS);
}
