/**
 * Redis as a child process on 127.0.0.1, with a password of its own. Everything is in its append-only file (a flush a
 * second) unless the settings say otherwise, and nothing is ever evicted. A start that fails leaves nothing running and
 * says what the server logged.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import type { Child } from './child.ts';
import { endProcess, startChild } from './child.ts';
import { startOnPort } from './port.ts';
import { commandLineOf } from './process-table.ts';
import { keptSecret } from './secret.ts';
import type { Server } from './server.ts';
import { ServerStartError } from './server.ts';
import { launch } from './unprivileged.ts';

const run = promisify(execFile);

/** Loading an append-only file of gigabytes takes minutes. */
const START_TIMEOUT_MS = 300_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 20;

export interface RedisOptions {
  /** Holds the append-only file, the password, the configuration and the log; made where missing. */
  readonly dataDir: string;
  /** Absent or 0: a free one. */
  readonly port?: number;
  /** `redis-server`, or a path to it. */
  readonly binary: string;
  /** More lines of redis.conf: directive and its arguments. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told when a stale server is ended. */
  readonly log?: (line: string) => void;
}

const SETTINGS = {
  bind: '127.0.0.1',
  'protected-mode': 'yes',
  daemonize: 'no',
  // The command line keeps the path of the configuration, by which a stale server is recognised.
  'set-proc-title': 'no',
  appendonly: 'yes',
  appendfsync: 'everysec',
  // Most of what is appended is trimmed soon: rewriting the file each 64 MB, the default, costs more than it saves.
  'auto-aof-rewrite-min-size': '1gb',
  save: '""',
  'maxmemory-policy': 'noeviction',
};

async function versionOf(binary: string): Promise<string> {
  try {
    return (await run(binary, ['--version'])).stdout;
  } catch (error) {
    throw new Error(`there is no Redis (${binary}) on this machine: install one, or set REDIS_URL`, { cause: error });
  }
}

/** @throws Error when there is no Redis, or one older than 6.2 (no XAUTOCLAIM). */
async function checkVersion(binary: string): Promise<void> {
  const [, major, minor] = /v=(\d+)\.(\d+)/.exec(await versionOf(binary)) ?? [];
  if (Number(major) * 100 + Number(minor) < 602) throw new Error(`${binary} is Redis ${major}.${minor}; 6.2 or later is needed`);
}

/** Ends a Redis that still runs on this folder. One that only has the same pid as such a server is left alone. */
async function endStaleServer(pidFile: string, configFile: string, log: (line: string) => void): Promise<void> {
  let pid: number;
  try {
    pid = Number(await readFile(pidFile, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  if (!(pid > 0) || (await commandLineOf(pid))?.endsWith(` ${configFile}`) !== true) return;
  log(`ending Redis ${pid}, left behind by a process that was killed`);
  await endProcess(pid, 'SIGTERM', STOP_TIMEOUT_MS);
}

/** True once Redis answers and has loaded its data. */
async function answers(url: string): Promise<boolean> {
  const once = { lazyConnect: true, enableReadyCheck: false, retryStrategy: () => null, maxRetriesPerRequest: 0 };
  const redis = new Redis(url, once);
  // The failure is the rejection of the command as well.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    // -LOADING is a rejection.
    await redis.ping();
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  } finally {
    redis.disconnect();
  }
}

async function untilReady(child: Child, url: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(url))) {
    const end = child.end();
    if (end !== undefined) throw new ServerStartError(`Redis ${end.text} while starting:\n${await child.logTail()}`);
    if (Date.now() > deadline) {
      await endProcess(child.pid, 'SIGTERM', STOP_TIMEOUT_MS);
      throw new ServerStartError(`Redis is not ready after ${START_TIMEOUT_MS} ms:\n${await child.logTail()}`);
    }
    await delay(POLL_MS);
  }
}

async function startOn(port: number, password: string, options: RedisOptions): Promise<Server> {
  const { dataDir } = options;
  const configFile = join(dataDir, 'redis.conf');
  const pidFile = join(dataDir, 'redis.pid');
  const own = { port: String(port), dir: JSON.stringify(dataDir), requirepass: password };
  const settings = { ...SETTINGS, ...own, ...options.settings };
  const lines = Object.entries(settings).map(([directive, value]) => `${directive} ${value}\n`);
  await writeFile(configFile, lines.join(''), { mode: 0o600 });
  const how = await launch(options.binary, [configFile], { deathSignal: 'TERM', folder: dataDir });
  const child = await startChild(how, { cwd: dataDir, logFile: join(dataDir, 'redis.log') });
  await writeFile(pidFile, `${child.pid}\n`);
  const url = `redis://:${password}@127.0.0.1:${port}`;
  await untilReady(child, url);
  let stopping: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await endProcess(child.pid, 'SIGTERM', STOP_TIMEOUT_MS);
    await rm(pidFile, { force: true });
  };
  const ended = child.ended.then(({ text }) => text);
  return { url, pid: child.pid, port, ended, stop: () => (stopping ??= end()) };
}

/**
 * Starts Redis on `dataDir`, after ending a stale one that is ours; waits until its data is loaded.
 * @throws PortTakenError when `port` is taken; ServerStartError with the end of the server's log.
 */
export async function startRedis(options: RedisOptions): Promise<Server> {
  await checkVersion(options.binary);
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  const password = await keptSecret(join(dataDir, 'password'));
  await endStaleServer(join(dataDir, 'redis.pid'), join(dataDir, 'redis.conf'), options.log ?? (() => undefined));
  return await startOnPort('Redis', options.port, (port) => startOn(port, password, { ...options, dataDir }));
}
