/**
 * PostgreSQL as a child process on 127.0.0.1, with a password of its own and a database `odograph`. What it committed
 * is on the disk: fsync stays on unless a test says otherwise. A start that fails leaves nothing running and says what
 * the server logged.
 */
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { giveWay } from '../shared/priority.ts';
import type { Child } from './child.ts';
import { endProcess, startChild } from './child.ts';
import { startOnPort } from './port.ts';
import type { Cluster } from './postgres-cluster.ts';
import { postmasterLines, prepareCluster, STOP_TIMEOUT_MS, SUPERUSER } from './postgres-cluster.ts';
import type { Server } from './server.ts';
import { ServerStartError } from './server.ts';
import { launch } from './unprivileged.ts';

/** Recovery after a crash replays what was written since the last checkpoint. */
const START_TIMEOUT_MS = 300_000;
const POLL_MS = 20;
const DATABASE = 'odograph';

export interface PostgresOptions {
  /** Holds the cluster, its password and its log; made where missing. */
  readonly dataDir: string;
  /** Absent or 0: a free one. */
  readonly port?: number;
  /** Folder of `postgres` and `initdb`, of the version that made the cluster. */
  readonly binDir: string;
  /** More lines of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told what takes long: the making of a cluster, the end of a stale server. */
  readonly log?: (line: string) => void;
}

/** Trackers and viewers wait for Odograph and Redis beside it. */
const NICE = 5;

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_timezone: 'UTC',
  timezone: 'UTC',
};

async function untilReady(child: Child, folder: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const [pid, , , , , , , status] = await postmasterLines(folder);
    if (Number(pid) === child.pid && status === 'ready') return;
    const end = child.end();
    if (end !== undefined) throw new ServerStartError(`PostgreSQL ${end.text} while starting:\n${await child.logTail()}`);
    if (Date.now() > deadline) {
      await endProcess(child.pid, 'SIGQUIT', STOP_TIMEOUT_MS);
      throw new ServerStartError(`PostgreSQL is not ready after ${START_TIMEOUT_MS} ms:\n${await child.logTail()}`);
    }
    await delay(POLL_MS);
  }
}

function urlOf(password: string, port: number, database: string): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`;
}

async function ensureDatabase(maintenanceUrl: string): Promise<void> {
  const client = new Client({ connectionString: maintenanceUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

async function startOn(port: number, cluster: Cluster, options: PostgresOptions): Promise<Server> {
  const { folder, password, account } = cluster;
  const settings = Object.entries({ ...SETTINGS, port: String(port), ...options.settings });
  const flags = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const program = join(options.binDir, 'postgres');
  const how = await launch(program, ['-D', folder, ...flags], { deathSignal: 'INT', account, folder });
  const child = await startChild(how, { cwd: '/', logFile: join(options.dataDir, 'postgres.log') });
  // Before it has children. Where it has ended already, the next line says why.
  giveWay(NICE, child.pid);
  await untilReady(child, folder);
  // SIGINT is PostgreSQL's fast shutdown: connections are ended, everything is written.
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= endProcess(child.pid, 'SIGINT', STOP_TIMEOUT_MS));
  try {
    await ensureDatabase(urlOf(password, port, 'postgres'));
  } catch (error) {
    await stop();
    throw error;
  }
  const ended = child.ended.then(({ text }) => text);
  return { url: urlOf(password, port, DATABASE), pid: child.pid, port, ended, stop };
}

/**
 * Starts PostgreSQL on `dataDir`, after ending a stale one that is ours; waits through crash recovery.
 * @throws PortTakenError when `port` is taken; ServerStartError with the end of the server's log.
 */
export async function startPostgres(options: PostgresOptions): Promise<Server> {
  const dataDir = resolve(options.dataDir);
  const durable = options.settings?.fsync !== 'off';
  const cluster = await prepareCluster(options.binDir, dataDir, durable, options.log ?? (() => undefined));
  return await startOnPort('PostgreSQL', options.port, (port) => startOn(port, cluster, { ...options, dataDir }));
}
