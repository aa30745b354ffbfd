/** PostgreSQL and Redis of a run's own, with the settings that production has, in a folder that goes with the run. */
import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** Redis with its append-only file at `everysec`; PostgreSQL with TimescaleDB where the machine has it. */
export async function startBenchServers(): Promise<BenchServers> {
  const folder = await mkdtemp(join(tmpdir(), 'odograph-bench-'));
  await chmod(folder, 0o755);
  // A run that is interrupted, or throws because its servers have gone, does not come to `stop`.
  process.on('exit', () => { rmSync(folder, { recursive: true, force: true }); });
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
      await rm(folder, { recursive: true, force: true });
    },
  };
}
