/** The import as a process, and files for it. All of it ends with the test. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/import/main.ts', import.meta.url));

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly stderr: () => string;
  readonly ended: Promise<Run>;
}

/** Runs the tool with nothing of the environment but where programs are, and what is given. */
export function startImport(
  args: readonly string[], env: Readonly<Record<string, string>> = {}, nodeArgs: readonly string[] = [],
): Running {
  const child = spawn(process.execPath, [...nodeArgs, MAIN, ...args], {
    env: { PATH: process.env.PATH, ODOGRAPH_DATA_DIR: '/nowhere', ...env }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => { child.kill('SIGKILL'); });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => { stdout += bytes.toString(); });
  child.stderr.on('data', (bytes: Buffer) => { stderr += bytes.toString(); });
  const { promise: ended, resolve } = Promise.withResolvers<Run>();
  child.on('close', (code) => { resolve({ code, stdout, stderr }); });
  return { child, stderr: () => stderr, ended };
}

export async function runImport(
  args: readonly string[], env: Readonly<Record<string, string>> = {}, nodeArgs: readonly string[] = [],
): Promise<Run> {
  return await startImport(args, env, nodeArgs).ended;
}

/** The report of a run with `--json` of one file. */
export function reportOf(run: Run): Record<string, unknown> {
  if (run.stdout === '') expect.fail(run.stderr);
  return JSON.parse(run.stdout) as Record<string, unknown>;
}

export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'odograph-import-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function fileWith(name: string, content: string | Buffer): Promise<string> {
  const file = join(await tempFolder(), name);
  await writeFile(file, content);
  return file;
}

/** A line a second of one device, the last one now. */
export function csvFor(deviceId: string, count: number, lastTs = Date.now()): string {
  const rows = Array.from({ length: count }, (_, index) => {
    const ts = new Date(lastTs - (count - 1 - index) * 1_000).toISOString();
    return `${deviceId},${ts},54.7${index % 1_000},25.3${index % 1_000},${index % 90},${index}\n`;
  });
  return `imei,time,lat,lon,speed,odometer\n${rows.join('')}`;
}
