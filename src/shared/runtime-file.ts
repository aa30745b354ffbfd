/**
 * `runtime.json` in the data folder: where a running embedded system can be reached, for the demo and the tools.
 * Appears whole or not at all; readable by its owner alone, since the URLs hold passwords.
 */
import { readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorMessage } from './errors.ts';

const schema = z.object({
  pid: z.int().positive(),
  redisUrl: z.string(),
  postgresUrl: z.string(),
  metricsUrl: z.string(),
  /** null: this process has no live server. */
  liveUrl: z.string().nullable(),
  /** null: this process has no HTTP API. */
  apiUrl: z.string().nullable(),
  listeners: z.array(
    z.object({ protocol: z.string(), transport: z.string(), host: z.string(), port: z.int().positive() }),
  ),
});

export type Runtime = z.infer<typeof schema>;

function runtimeFile(dataDir: string): string {
  return join(dataDir, 'runtime.json');
}

export async function writeRuntime(dataDir: string, runtime: Runtime): Promise<void> {
  const file = runtimeFile(dataDir);
  await writeFile(`${file}.new`, `${JSON.stringify(runtime, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

export async function removeRuntime(dataDir: string): Promise<void> {
  await rm(runtimeFile(dataDir), { force: true });
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * What the file says; undefined where there is none. It may be of a process that is gone: compare or probe its pid.
 * @throws Error when the file cannot be read, or is not what Odograph writes.
 */
export function readRuntime(dataDir: string): Runtime | undefined {
  const file = runtimeFile(dataDir);
  const text = readText(file);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(`${file} is not what Odograph writes: ${errorMessage(error)}`, { cause: error });
  }
}

/** As `readRuntime`, of a process that lives. The file of one that is gone, or that is no such file, counts as none. */
export function findRunning(dataDir: string): Runtime | undefined {
  const runtime = readIfSound(dataDir);
  return runtime !== undefined && isRunning(runtime.pid) ? runtime : undefined;
}

function readIfSound(dataDir: string): Runtime | undefined {
  try {
    return readRuntime(dataDir);
  } catch {
    // A file that is no runtime file tells of no process.
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** An address to connect to: one that stands for all of a machine's is reached at the loopback. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
