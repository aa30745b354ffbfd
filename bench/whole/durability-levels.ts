/** Redis servers for each level of durability that this machine's Redis can give. */
import { join } from 'node:path';
import { startRedis } from '../../src/embedded/redis.ts';
import type { Server } from '../../src/embedded/server.ts';
import { pause } from '../../src/shared/wait.ts';
import { withRedis } from '../support/redis.ts';
import type { BenchServers } from '../support/servers.ts';

const POLL_MS = 50;
const SYNCHRONISED_TIMEOUT_MS = 30_000;

export interface Level {
  readonly name: string;
  readonly redis: Server;
  readonly settings: Readonly<Record<string, string>>;
}

export interface Levels {
  readonly levels: readonly Level[];
  /** What cannot be measured here, and why. */
  readonly notes: readonly string[];
  stop(): Promise<void>;
}

async function start(servers: BenchServers, name: string, settings: Readonly<Record<string, string>>): Promise<Server> {
  return await startRedis({ dataDir: join(servers.folder, name), binary: 'redis-server', settings });
}

/** A primary with one replica that has all it has. */
async function startReplicated(servers: BenchServers): Promise<readonly [primary: Server, replica: Server]> {
  const primary = await start(servers, 'redis-primary', {});
  const { port, password } = new URL(primary.url);
  const replica = await start(servers, 'redis-replica', { replicaof: `127.0.0.1 ${port}`, masterauth: password });
  await withRedis(primary.url, async (redis) => {
    const deadline = AbortSignal.timeout(SYNCHRONISED_TIMEOUT_MS);
    while (!deadline.aborted && !(await redis.info('replication')).includes('state=online')) await pause(POLL_MS, deadline);
  });
  return [primary, replica];
}

async function hasWaitAof({ redis: { url } }: BenchServers): Promise<boolean> {
  const [info] = (await withRedis(url, (redis) => redis.call('COMMAND', 'INFO', 'WAITAOF'))) as unknown[];
  return info !== null && info !== undefined;
}

export async function startLevels(servers: BenchServers): Promise<Levels> {
  const always = await start(servers, 'redis-always', { appendfsync: 'always' });
  const [primary, replica] = await startReplicated(servers);
  const levels: Level[] = [
    { name: 'memory, everysec', redis: servers.redis, settings: {} },
    { name: 'fsync, always', redis: always, settings: { INGEST_DURABILITY: 'fsync' } },
    { name: 'replica, everysec', redis: primary, settings: { INGEST_DURABILITY: 'replica' } },
  ];
  const own = [always, replica, primary];
  const notes: string[] = [];
  if (await hasWaitAof(servers)) {
    const everySecond = await start(servers, 'redis-waitaof', {});
    own.push(everySecond);
    levels.push({ name: 'fsync, everysec', redis: everySecond, settings: { INGEST_DURABILITY: 'fsync' } });
  } else notes.push('fsync with appendfsync everysec needs Redis 7.2 (WAITAOF): not measured here');
  return { levels, notes, stop: async () => { for (const server of own) await server.stop(); } };
}
