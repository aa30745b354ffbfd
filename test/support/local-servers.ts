/**
 * PostgreSQL and Redis as local processes for tests: not durable against a loss of power, otherwise as in production.
 * PostgreSQL of the system with TimescaleDB is preferred, then that of the npm package, then any of the system.
 */
import type { PostgresBinaries } from '../../src/embedded/postgres-binaries.ts';
import { extensionSettings, findPostgres } from '../../src/embedded/postgres-binaries.ts';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { startRedis } from '../../src/embedded/redis.ts';
import type { Server } from '../../src/embedded/server.ts';

/** Enough background workers for the TimescaleDB scheduler of every suite's database. */
const WORKERS = { max_worker_processes: '64', 'timescaledb.max_background_workers': '48' };

export async function postgresForTests(): Promise<PostgresBinaries> {
  const found = await findPostgres();
  const chosen = found.find(({ timescaledb }) => timescaledb) ?? found[0];
  if (chosen === undefined) throw new Error('no PostgreSQL 15 or later: run npm ci, or install one');
  return chosen;
}

/** `settings` go above those that tests run with. */
export async function startTestPostgres(
  binaries: PostgresBinaries,
  options: { dataDir: string; port?: number; settings?: Readonly<Record<string, string>> },
): Promise<Server> {
  const workers = binaries.timescaledb ? WORKERS : {};
  const settings = { fsync: 'off', max_connections: '200', ...extensionSettings(binaries), ...workers, ...options.settings };
  return await startPostgres({ ...options, binDir: binaries.binDir, settings });
}

export async function startTestRedis(options: {
  dataDir: string;
  port?: number;
  settings?: Readonly<Record<string, string>>;
}): Promise<Server> {
  const settings = { appendonly: 'no', databases: '1024', ...options.settings };
  return await startRedis({ ...options, binary: 'redis-server', settings });
}
