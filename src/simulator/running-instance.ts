/**
 * Finds the Odograph that runs on this machine, by the file that it keeps in its data directory: where its listeners,
 * its database and its metrics are. A file that is not there, is not readable as that, or was left by a process that
 * is gone counts as none.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export interface RunningInstance {
  /** Where trackers connect, if it listens for Teltonika over TCP. */
  readonly listener: { readonly host: string; readonly port: number } | null;
  readonly postgresUrl: string | null;
  /** Base of the operations port, or its /metrics. */
  readonly metricsUrl: string | null;
}

const runtimeFile = z.object({
  pid: z.int().positive(),
  postgresUrl: z.string().nullish(),
  metricsUrl: z.string().nullish(),
  listeners: z.array(z.object({
    protocol: z.string(), transport: z.string(), host: z.string(), port: z.int().positive(),
  })).default([]),
});

/** @param dataDir its ODOGRAPH_DATA_DIR. */
export function findRunningInstance(dataDir: string): RunningInstance | null {
  const parsed = runtimeFile.safeParse(readJson(join(dataDir, 'runtime.json')));
  if (!parsed.success || !isRunning(parsed.data.pid)) return null;
  const { listeners, postgresUrl, metricsUrl } = parsed.data;
  const listener = listeners.find(({ protocol, transport }) => protocol === 'teltonika' && transport === 'tcp');
  return {
    listener: listener === undefined ? null : { host: reachable(listener.host), port: listener.port },
    postgresUrl: postgresUrl ?? null,
    metricsUrl: metricsUrl ?? null,
  };
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // No file, or one that is being written: there is nothing to find.
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

/** An address that stands for all of a machine's is reached at the loopback. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
