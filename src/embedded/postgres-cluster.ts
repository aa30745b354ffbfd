/**
 * The files of an embedded PostgreSQL: `cluster/` (what PostgreSQL calls PGDATA), `password`, `postgres.log`. A cluster
 * is made beside its place and renamed into it, so one that is there is whole. A server that a killed process left
 * running on it is ended before the next start, and what it left of itself does not stand in the way.
 */
import { execFile } from 'node:child_process';
import { chown, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { endProcess } from './child.ts';
import { commandLineOf, workingFolderOf } from './process-table.ts';
import { keptSecret } from './secret.ts';
import type { Account } from './unprivileged.ts';
import { launch, unprivilegedAccount } from './unprivileged.ts';

const run = promisify(execFile);

export const SUPERUSER = 'odograph';
export const STOP_TIMEOUT_MS = 30_000;

export interface Cluster {
  readonly folder: string;
  readonly password: string;
  /** Who runs the server; undefined: this process's own account. */
  readonly account: Account | undefined;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The major version that made the cluster in `dataDir`; undefined when there is none yet. */
export async function clusterVersion(dataDir: string): Promise<number | undefined> {
  const text = await readIfThere(join(dataDir, 'cluster', 'PG_VERSION'));
  return text === undefined ? undefined : Number(text);
}

/** Of `postmaster.pid`, if it is there: pid, data folder, start time, port, socket folder, address, key, status. */
export async function postmasterLines(folder: string): Promise<readonly string[]> {
  const text = await readIfThere(join(folder, 'postmaster.pid'));
  return text?.split('\n').map((line) => line.trim()) ?? [];
}

/** Whether no server stands behind `postmaster.pid`. Where that cannot be told PostgreSQL decides, and says so. */
async function isStale(pid: number, folder: string): Promise<boolean> {
  // A loss of power leaves an empty one.
  if (!(pid > 0)) return true;
  // A server works in its data folder, however it was started.
  const workingFolder = await workingFolderOf(pid);
  return workingFolder !== undefined && workingFolder !== folder;
}

/**
 * Ends a PostgreSQL that still runs on this folder. A process that only has the pid of one that did is left alone, and
 * `postmaster.pid` is removed: PostgreSQL takes any process of that pid for a server, and would not start.
 */
async function endStaleServer(folder: string, log: (line: string) => void): Promise<void> {
  const lines = await postmasterLines(folder);
  if (lines.length === 0) return;
  const pid = Number(lines[0]);
  if ((await commandLineOf(pid))?.includes(`-D ${folder} `) === true) {
    log(`ending PostgreSQL ${pid}, left behind by a process that was killed`);
    await endProcess(pid, 'SIGINT', STOP_TIMEOUT_MS);
  } else if (await isStale(pid, folder)) {
    log('removing postmaster.pid of a PostgreSQL that is gone');
    await rm(join(folder, 'postmaster.pid'), { force: true });
  }
}

async function initialise(binDir: string, dataDir: string, durable: boolean): Promise<void> {
  const draft = join(dataDir, 'cluster.new');
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  const account = await unprivilegedAccount(draft);
  const passwordFile = join(dataDir, 'password');
  if (account !== undefined) for (const path of [draft, passwordFile]) await chown(path, account.uid, account.gid);
  const flags = ['-E', 'UTF8', '--locale=C', '-A', 'scram-sha-256', '-U', SUPERUSER, `--pwfile=${passwordFile}`, '--data-checksums', '--no-instructions'];
  const all = ['-D', draft, ...flags, ...(durable ? [] : ['--no-sync'])];
  const { command, args, account: identity } = await launch(join(binDir, 'initdb'), all, { deathSignal: 'TERM', account, folder: draft });
  await run(command, args, { cwd: '/', ...identity });
  await rename(draft, join(dataDir, 'cluster'));
}

/**
 * The cluster in `dataDir`, made where it is missing and with no server on it.
 * @param durable false where the data may be lost with the machine (tests).
 * @throws Error when initdb fails: the message has its output.
 */
export async function prepareCluster(
  binDir: string,
  dataDir: string,
  durable: boolean,
  log: (line: string) => void,
): Promise<Cluster> {
  await mkdir(dataDir, { recursive: true });
  const password = await keptSecret(join(dataDir, 'password'));
  const folder = join(dataDir, 'cluster');
  if ((await clusterVersion(dataDir)) === undefined) {
    log(`making a PostgreSQL cluster in ${folder}`);
    await initialise(binDir, dataDir, durable);
  }
  await endStaleServer(folder, log);
  return { folder, password, account: await unprivilegedAccount(folder) };
}
