/**
 * What the operating system knows about a process: whether it lives, since when, and its command line. A pid alone
 * says little, since pids are used again; a pid with its start time is one process. Reads /proc on Linux, asks `ps`
 * elsewhere. A process that cannot be read counts as absent; zombies do too.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

async function procFile(pid: number, file: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

async function ps(pid: number, column: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('ps', ['-ww', '-o', `${column}=`, '-p', String(pid)]);
    return stdout.trim() || undefined;
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

interface Stat {
  readonly parent: number;
  readonly start: string;
}

/** proc(5): `pid (comm) state ppid …`, where comm may hold spaces and parentheses; starttime is the 22nd field. */
async function procStat(pid: number): Promise<Stat | undefined> {
  const stat = await procFile(pid, 'stat');
  const [state, parent, ...rest] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const start = rest[17];
  if (state === undefined || start === undefined || state === 'Z' || state === 'X') return undefined;
  return { parent: Number(parent), start };
}

/** Since when a living process lives, in a form that is only to be compared; undefined when there is none. */
export async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return await ps(pid, 'lstart');
  return (await procStat(pid))?.start;
}

/** The command line of a process, its arguments separated by spaces. */
export async function commandLineOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return await ps(pid, 'command');
  return (await procFile(pid, 'cmdline'))?.replaceAll('\0', ' ').trim();
}

/** The folder that a living process works in; undefined when there is no such process, or it cannot be told. */
export async function workingFolderOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === 'linux') return await readlink(`/proc/${pid}/cwd`);
    // Lines of one field each, named by their first letter: `p<pid>`, `fcwd`, `n<folder>`.
    const { stdout } = await run('lsof', ['-a', '-p', String(pid), '-d', 'cwd', '-F', 'n']);
    return /^n(.+)$/m.exec(stdout)?.[1];
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** Living processes and their parents. */
async function parents(): Promise<ReadonlyMap<number, number>> {
  if (process.platform !== 'linux') {
    const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
    const rows = stdout.trim().split('\n').map((line) => line.trim().split(/\s+/).map(Number));
    return new Map(rows.map(([pid = 0, parent = 0]) => [pid, parent]));
  }
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const stats = await Promise.all(pids.map(async (pid) => [pid, (await procStat(pid))?.parent ?? 0] as const));
  return new Map(stats);
}

/** The pids of a process's living children, their children, and so on. */
export async function descendantsOf(pid: number): Promise<readonly number[]> {
  const table = await parents();
  const found = [pid];
  for (const ancestor of found) for (const [child, parent] of table) if (parent === ancestor) found.push(child);
  return found.slice(1);
}
