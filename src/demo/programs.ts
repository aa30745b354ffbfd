/**
 * The two programs of the demo as child processes: the system and the simulator. Each is in a process group of its own,
 * so that a Ctrl-C reaches the demo alone and it ends them in order; both end when the demo is killed.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Child, Exit } from '../embedded/child.ts';
import { startChild } from '../embedded/child.ts';
import { startOf } from '../embedded/process-table.ts';
import { launch } from '../embedded/unprivileged.ts';
import type { Runtime } from '../shared/runtime-file.ts';
import { reachable, readRuntime, removeRuntime } from '../shared/runtime-file.ts';
import type { DemoOptions } from './options.ts';
import { readableLog } from './readable-log.ts';

const POLL_MS = 50;

/** Odograph has ended while it started. */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** The exit code; null: it was ended by a signal. */
  readonly code: number | null;

  constructor(end: Exit, log: string) {
    super(`Odograph ${end.text} while starting:\n${readableLog(log)}`);
    this.code = end.code;
  }
}

/** Another fleet than that of `npm run simulate`: two of one fleet would throw each other out. */
const FLEET_PREFIX = '35630701';
/** Share of frames that meet a fault: so many that a short run with few trackers meets every kind. */
const FAULT_RATE = '0.1';

async function startProgram(
  file: string,
  args: readonly string[],
  options: { deathSignal: 'TERM' | 'KILL'; logFile: string; env: NodeJS.ProcessEnv },
): Promise<Child> {
  const program = fileURLToPath(new URL(file, import.meta.url));
  const cwd = process.cwd();
  const how = await launch(process.execPath, [program, ...args], { ...options, folder: cwd });
  return await startChild(how, { ...options, cwd });
}

export async function startSystem(logFile: string, env: NodeJS.ProcessEnv): Promise<Child> {
  return await startProgram('../main.ts', [], { deathSignal: 'TERM', logFile, env });
}

/** Removes what a killed system said of itself: the next one may get its pid. */
export async function forgetDeadSystem(dataDir: string): Promise<void> {
  const runtime = readRuntime(dataDir);
  if (runtime !== undefined && (await startOf(runtime.pid)) === undefined) await removeRuntime(dataDir);
}

/**
 * Waits until the system has written where it listens, which it does when it is ready.
 * @returns undefined when `signal` ends the wait.
 * @throws StartError when the system ends first, with the end of its log.
 */
export async function untilReady(
  system: Child,
  dataDir: string,
  signal: AbortSignal,
): Promise<Runtime | undefined> {
  while (!signal.aborted) {
    const runtime = readRuntime(dataDir);
    // A file of an earlier start may still be there.
    if (runtime?.pid === system.pid) return runtime;
    const end = system.end();
    if (end !== undefined) throw new StartError(end, await system.logTail());
    await delay(POLL_MS);
  }
  return undefined;
}

/** The command line of the simulator against a running system. @throws Error when that takes no Teltonika tracker. */
export function simulatorArguments(options: DemoOptions, runtime: Runtime): readonly string[] {
  const listener = runtime.listeners.find(({ protocol, transport }) => protocol === 'teltonika' && transport === 'tcp');
  if (listener === undefined) {
    throw new Error('the simulated trackers are Teltonika ones: INGEST_LISTENERS has no teltonika:port');
  }
  return [
    '--imei-prefix', FLEET_PREFIX,
    '--devices', String(options.devices),
    '--interval', '1s',
    '--host', reachable(listener.host),
    '--port', String(listener.port),
    ...(options.duration === undefined ? [] : ['--duration', options.duration]),
    ...(options.faults ? ['--faults', '--fault-rate', FAULT_RATE] : []),
    ...(options.smoke ? ['--verify', '--postgres-url', runtime.postgresUrl, '--metrics-url', runtime.metricsUrl] : []),
  ];
}

export async function startSimulator(
  options: DemoOptions,
  runtime: Runtime,
  logFile: string,
  env: NodeJS.ProcessEnv,
): Promise<Child> {
  // It has nothing to lose, and would wait for a system that ends as well.
  const args = simulatorArguments(options, runtime);
  return await startProgram('../simulator/main.ts', args, { deathSignal: 'KILL', logFile, env });
}
