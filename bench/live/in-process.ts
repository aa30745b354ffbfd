/** A live server in this process, over an empty stream and a database with these devices. */
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Authority } from '../../src/auth/authority.ts';
import { localProvider } from '../../src/auth/local/provider.ts';
import { loadSettings } from '../../src/config/load.ts';
import { createPool } from '../../src/db/pool.ts';
import { createLive } from '../../src/live/live.ts';
import type { Redis } from '../../src/shared/redis.ts';
import { connectRedis, waitForRedis } from '../../src/shared/redis.ts';
import { createBenchDatabase } from '../support/database.ts';
import type { BenchServers } from '../support/servers.ts';

export const TOKEN = 'bench-token-0123456789';

export interface LiveInProcess {
  readonly url: string;
  readonly redis: Redis;
  readonly partitions: number;
  stop(): Promise<void>;
}

export async function startLiveInProcess(servers: BenchServers, devices: readonly string[]): Promise<LiveInProcess> {
  const postgresUrl = await createBenchDatabase(servers, devices);
  const redisUrl = servers.redis.url;
  const settings = loadSettings({
    REDIS_URL: redisUrl, POSTGRES_URL: postgresUrl, LIVE_WS_HOST: '127.0.0.1', LIVE_WS_PORT: '0',
  });
  const redis = connectRedis(redisUrl, { name: 'bench', commandTimeoutMs: 10_000, onError: () => undefined });
  await waitForRedis(redis, AbortSignal.timeout(10_000));
  await redis.flushall();
  const pool = createPool({ ...settings, POSTGRES_POOL_SIZE: 4 }, postgresUrl, 'live', () => undefined);
  const common = { settings, registry: new Registry(), log: pino({ level: 'silent' }) };
  const authority = new Authority({ ...common, provider: () => localProvider(TOKEN) });
  const live = createLive({ ...common, redisUrl, redis, pool, authority });
  await live.start();
  return {
    url: `ws://127.0.0.1:${live.port}/live`,
    redis,
    partitions: settings.STREAM_PARTITIONS,
    stop: async () => {
      await live.stop();
      authority.stop();
      await pool.end();
      redis.disconnect();
    },
  };
}
