/**
 * Embedded mode: PostgreSQL and Redis of Odograph's own, as child processes on one data folder that no other living
 * Odograph uses. What was acknowledged survives the end of this process in every way. A start that fails stops what it
 * had started.
 */
import { mkdir, realpath } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { lockDataFolder } from './data-folder-lock.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { extensionSettings, findPostgres } from './postgres-binaries.ts';
import { clusterVersion } from './postgres-cluster.ts';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import type { Server } from './server.ts';

const MIB = 1024 * 1024;

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly redis: boolean;
  readonly postgres: boolean;
  /** Told what takes long. */
  readonly log?: (line: string) => void;
}

export interface Embedded {
  readonly redisUrl?: string;
  readonly postgresUrl?: string;
  /** Resolves when a server ends that nobody stopped, with a line that says which and how. */
  readonly lost: Promise<string>;
  /** Stops Redis, then PostgreSQL, then frees the data folder. */
  stop(): Promise<void>;
}

/** The binaries for this data folder: those of the version that made it, else the first that there are. */
async function binariesFor(dataDir: string): Promise<PostgresBinaries> {
  const [candidates, version] = await Promise.all([findPostgres(), clusterVersion(dataDir)]);
  const chosen = version === undefined ? candidates[0] : candidates.find(({ major }) => major === version);
  if (chosen !== undefined) return chosen;
  if (version === undefined) throw new Error('there is no PostgreSQL 15 or later on this machine: set POSTGRES_URL, install one, or run npm ci');
  const others = candidates.map(({ major }) => major).join(', ') || 'none';
  throw new Error(`${dataDir} was made by PostgreSQL ${version}, and this machine has ${others}: install that version, or set POSTGRES_URL`);
}

async function embeddedPostgres(dataDir: string, log: (line: string) => void): Promise<Server> {
  const binaries = await binariesFor(dataDir);
  return await startPostgres({ dataDir, binDir: binaries.binDir, settings: extensionSettings(binaries), log });
}

/** A quarter of the memory is for the stream; when it is full, ingest withholds acknowledgements. */
function streamMemory(): string {
  const available = Math.min(totalmem(), process.constrainedMemory() || Infinity);
  return `${Math.max(256, Math.floor(available / 4 / MIB))}mb`;
}

async function embeddedRedis(dataDir: string, log: (line: string) => void): Promise<Server> {
  return await startRedis({ dataDir, binary: 'redis-server', settings: { maxmemory: streamMemory() }, log });
}

/** Both at once; when one fails, the other is stopped and the failure thrown. */
async function startBoth(
  redis: Promise<Server> | undefined,
  postgres: Promise<Server> | undefined,
): Promise<Map<string, Server>> {
  const outcomes = await Promise.allSettled([redis, postgres]);
  const started = new Map<string, Server>();
  const failures: unknown[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'rejected') failures.push(outcome.reason);
    else if (outcome.value !== undefined) started.set(index === 0 ? 'Redis' : 'PostgreSQL', outcome.value);
  }
  if (failures.length === 0) return started;
  await Promise.all([...started.values()].map((server) => server.stop()));
  throw failures[0];
}

async function firstLost(servers: ReadonlyMap<string, Server>, stopping: () => boolean): Promise<string> {
  const { promise, resolve: lose } = Promise.withResolvers<string>();
  for (const [name, server] of servers) {
    void server.ended.then((how) => {
      if (!stopping()) lose(`${name} ${how}`);
    });
  }
  return await promise;
}

/**
 * Starts the servers that are asked for.
 * @throws DataFolderInUseError when another Odograph has the folder; ServerStartError with the end of a server's log;
 *   Error when PostgreSQL or Redis is not on this machine, or not in the version that the folder needs.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  // One spelling for a folder that has several: a stale server is known by it.
  await mkdir(options.dataDir, { recursive: true });
  const dataDir = await realpath(options.dataDir);
  const log = options.log ?? (() => undefined);
  const lock = await lockDataFolder(dataDir);
  let servers: ReadonlyMap<string, Server>;
  try {
    servers = await startBoth(
      options.redis ? embeddedRedis(join(dataDir, 'redis'), log) : undefined,
      options.postgres ? embeddedPostgres(join(dataDir, 'postgres'), log) : undefined,
    );
  } catch (error) {
    await lock.release();
    throw error;
  }
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    for (const server of servers.values()) await server.stop();
    await lock.release();
  };
  const redis = servers.get('Redis');
  const postgres = servers.get('PostgreSQL');
  return {
    ...(redis && { redisUrl: redis.url }),
    ...(postgres && { postgresUrl: postgres.url }),
    lost: firstLost(servers, () => stopping !== undefined),
    stop: () => (stopping ??= stop()),
  };
}
