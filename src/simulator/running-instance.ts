/**
 * Finds the Odograph that runs on this machine, by the file that it keeps in its data directory: where its listeners,
 * its database and its metrics are. A file that is not there, is not readable as that, or was left by a process that
 * is gone counts as none.
 */
import type { Runtime } from '../shared/runtime-file.ts';
import { reachable, readRuntime } from '../shared/runtime-file.ts';

export interface RunningInstance {
  /** Where trackers connect, if it listens for Teltonika over TCP. */
  readonly listener: { readonly host: string; readonly port: number } | null;
  readonly postgresUrl: string | null;
  /** Base of the operations port, or its /metrics. */
  readonly metricsUrl: string | null;
}

/** @param dataDir its ODOGRAPH_DATA_DIR. */
export function findRunningInstance(dataDir: string): RunningInstance | null {
  const runtime = readIfSound(dataDir);
  if (runtime === undefined || !isRunning(runtime.pid)) return null;
  const { listeners, postgresUrl, metricsUrl } = runtime;
  const listener = listeners.find(({ protocol, transport }) => protocol === 'teltonika' && transport === 'tcp');
  return {
    listener: listener === undefined ? null : { host: reachable(listener.host), port: listener.port },
    postgresUrl: postgresUrl === '' ? null : postgresUrl,
    metricsUrl,
  };
}

function readIfSound(dataDir: string): Runtime | undefined {
  try {
    return readRuntime(dataDir);
  } catch {
    // A file that is no runtime file tells of no instance.
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
