/**
 * Finds the Odograph that runs on this machine, by the file that it keeps in its data directory: where its listeners,
 * its database and its metrics are.
 */
import { findRunning, reachable } from '../shared/runtime-file.ts';

export interface RunningInstance {
  /** Where trackers connect, if it listens for Teltonika over TCP. */
  readonly listener: { readonly host: string; readonly port: number } | null;
  readonly postgresUrl: string | null;
  /** Base of the operations port, or its /metrics. */
  readonly metricsUrl: string | null;
}

/** @param dataDir its ODOGRAPH_DATA_DIR. */
export function findRunningInstance(dataDir: string): RunningInstance | null {
  const runtime = findRunning(dataDir);
  if (runtime === undefined) return null;
  const { listeners, postgresUrl, metricsUrl } = runtime;
  const listener = listeners.find(({ protocol, transport }) => protocol === 'teltonika' && transport === 'tcp');
  return {
    listener: listener === undefined ? null : { host: reachable(listener.host), port: listener.port },
    postgresUrl: postgresUrl === '' ? null : postgresUrl,
    metricsUrl,
  };
}
