/**
 * A server as a child process: its output goes to a log file, it is in a process group of its own (a Ctrl-C in the
 * terminal reaches the application, which drains before it stops its servers), and its end is a value.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { startOf } from './process-table.ts';
import type { Launch } from './unprivileged.ts';

const MAX_LOG_BYTES = 10 * 1024 * 1024;
const POLL_MS = 20;

/** How a process ended. */
export interface Exit {
  /** null: by a signal. */
  readonly code: number | null;
  /** For people, e.g. `exited with 1`. */
  readonly text: string;
}

export interface Child {
  readonly pid: number;
  /** Never rejects. */
  readonly ended: Promise<Exit>;
  /** As `ended`; undefined while it runs. */
  end(): Exit | undefined;
  /** The last lines (20 unless told) that this process wrote to its log. */
  logTail(lines?: number): Promise<string>;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}

/**
 * Starts a process; its log is continued, or begun anew above 10 MiB.
 * @throws Error when there is no such program.
 */
export async function startChild(
  how: Launch,
  options: { cwd: string; logFile: string; env?: NodeJS.ProcessEnv },
): Promise<Child> {
  const { command, args, account } = how;
  const size = await sizeOf(options.logFile);
  const logStart = size > MAX_LOG_BYTES ? 0 : size;
  const log = await open(options.logFile, logStart === 0 ? 'w' : 'a', 0o600);
  try {
    const stdio: ('ignore' | number)[] = ['ignore', log.fd, log.fd];
    const { cwd, env } = options;
    const child = spawn(command, args, { cwd, stdio, detached: true, ...(env && { env }), ...account });
    let exit: Exit | undefined;
    const ended = new Promise<Exit>((resolve) => {
      child.once('exit', (code, signal) => {
        exit = { code, text: signal === null ? `exited with ${code}` : `ended by ${signal}` };
        resolve(exit);
      });
    });
    await once(child, 'spawn');
    if (child.pid === undefined) throw new Error(`${command} has no pid`);
    // The server's life is told by `stop`; it alone does not keep this process alive.
    child.unref();
    const logTail = async (lines = 20): Promise<string> => {
      const written = (await readFile(options.logFile)).subarray(logStart).toString();
      return written.trim().split('\n').slice(-lines).join('\n');
    };
    return { pid: child.pid, ended, end: () => exit, logTail };
  } finally {
    await log.close();
  }
}

async function gone(pid: number, since: string, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while ((await startOf(pid)) === since) {
    if (Date.now() >= deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

/** Sends a signal; false when there is no such process any more. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/** Ends a process, child or not: `gentle`, and after `timeoutMs` SIGKILL. A stopped (frozen) one is continued first. */
export async function endProcess(pid: number, gentle: NodeJS.Signals, timeoutMs: number): Promise<void> {
  const since = await startOf(pid);
  if (since === undefined || !signal(pid, gentle)) return;
  signal(pid, 'SIGCONT');
  if (await gone(pid, since, timeoutMs)) return;
  signal(pid, 'SIGKILL');
  await gone(pid, since, timeoutMs);
}
