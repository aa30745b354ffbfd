/** The PostgreSQL and the Redis that the commands work on: those of the settings, or of the Odograph that runs here. */
import type { Pool } from 'pg';
import type { Settings } from '../config/settings.ts';
import { createPool } from '../db/pool.ts';
import { errorCode } from '../db/sqlstate.ts';
import { errorMessage } from '../shared/errors.ts';
import type { Redis } from '../shared/redis.ts';
import { reachRedis } from '../shared/redis.ts';
import { findRunning } from '../shared/runtime-file.ts';
import { publishAccounts } from './publish.ts';

/** Neither a setting nor a running Odograph says where a server is. */
export class NoServersError extends Error {
  override readonly name = 'NoServersError';
}

/** What was done is kept in the database, and was not published: processes do not know of it yet. */
export class NotPublishedError extends Error {
  override readonly name = 'NotPublishedError';
}

const REDIS_TIMEOUT_MS = 5_000;
const POOL_SIZE = 2;
const UNDEFINED_TABLE = '42P01';

export interface Places {
  readonly pool: Pool;
  /** Makes what was changed known to every process. @throws NotPublishedError */
  readonly publish: () => Promise<void>;
  readonly close: () => Promise<void>;
}

interface Urls {
  readonly postgresUrl: string;
  readonly redisUrl: string;
}

function findUrls({ POSTGRES_URL, REDIS_URL, ODOGRAPH_DATA_DIR: dataDir }: Settings): Urls {
  const running = findRunning(dataDir);
  const postgresUrl = POSTGRES_URL ?? running?.postgresUrl;
  const redisUrl = REDIS_URL ?? running?.redisUrl;
  if (postgresUrl !== undefined && postgresUrl !== '' && redisUrl !== undefined) return { postgresUrl, redisUrl };
  const missing = redisUrl === undefined ? 'REDIS_URL' : 'POSTGRES_URL';
  throw new NoServersError(`${missing}: expected a URL, since no Odograph runs with its data in ${dataDir}, got nothing`);
}

/** @throws Error where Redis does not answer in time */
async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const options = { name: 'odograph/accounts', commandTimeoutMs: REDIS_TIMEOUT_MS };
  const redis = await reachRedis(url, options, REDIS_TIMEOUT_MS);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** @throws NoServersError. Connects when it is first used. */
export function openPlaces(settings: Settings): Places {
  const { postgresUrl, redisUrl } = findUrls(settings);
  const pool = createPool({ ...settings, POSTGRES_POOL_SIZE: POOL_SIZE }, postgresUrl, 'accounts', () => undefined);
  return {
    pool,
    publish: async () => {
      await withRedis(redisUrl, (redis) => publishAccounts(pool, redis)).catch((error: unknown) => {
        const what = `kept, but not published yet (${errorMessage(error)}): processes go on with what they know until core can publish it`;
        throw new NotPublishedError(what, { cause: error });
      });
    },
    close: () => pool.end(),
  };
}

/** What an operator is told of an error of the database. */
export function placeProblem(error: unknown): string {
  if (errorCode(error) === UNDEFINED_TABLE) return 'the database does not have the tables of this version: start Odograph with the role core once';
  if (error instanceof AggregateError) return `cannot reach PostgreSQL: ${[...new Set(error.errors.map(errorMessage))].join('; ')}`;
  return errorMessage(error);
}
