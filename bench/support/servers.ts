/** PostgreSQL and Redis of a run's own, with the settings that production has, in a folder that goes with the run. */
import { rmSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { extensionSettings, findPostgres } from '../../src/embedded/postgres-binaries.ts';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { startRedis } from '../../src/embedded/redis.ts';
import type { Server } from '../../src/embedded/server.ts';

export interface BenchServers {
  readonly postgres: Server;
  readonly redis: Server;
  /** For a line of the report. */
  readonly description: string;
  /** For what a benchmark keeps while it runs. */
  readonly folder: string;
  stop(): Promise<void>;
}

/** A folder that is kept, or one that goes with the run, however that ends. */
async function folderOf(kept: string | undefined): Promise<string> {
  if (kept !== undefined) {
    await mkdir(kept, { recursive: true });
    return resolve(kept);
  }
  const folder = await mkdtemp(join(tmpdir(), 'odograph-bench-'));
  await chmod(folder, 0o755);
  process.on('exit', () => { rmSync(folder, { recursive: true, force: true }); });
  return folder;
}

/**
 * Redis with its append-only file at `everysec`; PostgreSQL with TimescaleDB where the machine has it.
 * @param kept folder whose databases are there again at the next run; absent: none are
 */
export async function startBenchServers(kept?: string): Promise<BenchServers> {
  const folder = await folderOf(kept);
  const found = await findPostgres();
  const binaries = found.find(({ timescaledb }) => timescaledb) ?? found[0];
  if (binaries === undefined) throw new Error('no PostgreSQL 15 or later: run npm ci, or install one');
  const settings = { max_connections: '200', ...extensionSettings(binaries) };
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), binDir: binaries.binDir, settings });
  const redis = await startRedis({ dataDir: join(folder, 'redis'), binary: 'redis-server', settings: {} });
  const kind = binaries.timescaledb ? 'with TimescaleDB' : 'with native partitions';
  return {
    postgres,
    redis,
    folder,
    description: `PostgreSQL ${binaries.major} ${kind}; Redis, append-only file at everysec`,
    stop: async () => {
      await Promise.all([redis.stop(), postgres.stop()]);
      if (kept === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
