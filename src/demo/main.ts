/**
 * `npm run demo`: Odograph with its embedded servers and a simulated fleet, on a machine that has neither PostgreSQL
 * nor Docker. It ends what it started, simulator first, and checks that no process is left; the data stays, and the
 * next start goes on with it. Exits with 0, with 2 when a setting is wrong, with 1 when a part failed, and with --smoke
 * as the verification did.
 */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from '../embedded/child.ts';
import { endProcess } from '../embedded/child.ts';
import { refuseFolderInUse } from '../embedded/data-folder-lock.ts';
import { errorMessage } from '../shared/errors.ts';
import { addresses, Display } from './display.ts';
import { dataFolder, demoEnvironment } from './environment.ts';
import { positionsBefore } from './before.ts';
import { readFigures } from './figures.ts';
import { leftovers, startedProcesses } from './leftovers.ts';
import type { DemoOptions } from './options.ts';
import { parseOptions } from './options.ts';
import { forgetDeadSystem, StartError, startSimulator, startSystem, untilReady } from './programs.ts';
import { readableLog } from './readable-log.ts';
import { stopRequest } from './stop-request.ts';

const REFRESH_MS = 1_000;
const FIRST_RECORD_POLL_MS = 100;
const SIMULATOR_STOP_TIMEOUT_MS = 45_000;
const SYSTEM_STOP_TIMEOUT_MS = 90_000;

interface Demo {
  readonly options: DemoOptions;
  readonly dataDir: string;
  readonly display: Display;
  readonly stop: AbortSignal;
  /** Started so far, in order. */
  readonly children: Child[];
}

/** Shows figures until the demo is asked to stop or one of its programs ends. */
async function watch({ options, display, stop, children }: Demo, metricsUrl: string): Promise<void> {
  const stopped = once(stop, 'abort');
  let seen = false;
  while (!stop.aborted && children.every((child) => child.end() === undefined)) {
    const figures = await readFigures(metricsUrl);
    if (figures !== undefined && figures.stored > 0 && !seen) {
      seen = true;
      const seconds = ((Date.now() - options.startedAt) / 1000).toFixed(1);
      display.say(`first record stored ${seconds} s after the command was given\n`);
    }
    if (figures !== undefined && seen) display.figures(figures);
    const pause = delay(seen ? REFRESH_MS : FIRST_RECORD_POLL_MS);
    await Promise.race([pause, stopped, ...children.map(({ ended }) => ended)]);
  }
}

/** The demo's exit code once it was asked to stop, or the simulator has ended, or the system, which must not. */
async function verdict({ options, display }: Demo, system: Child, simulator: Child): Promise<number> {
  const failed = system.end() ?? simulator.end();
  // A verification that was interrupted has verified nothing.
  if (failed === undefined) return options.smoke ? 1 : 0;
  if (system.end() !== undefined) {
    display.say(`Odograph ${failed.text}:\n${readableLog(await system.logTail())}`);
    return 1;
  }
  if (options.smoke) display.say(await simulator.logTail(100));
  else if (failed.code !== 0) display.say(`the simulator ${failed.text}:\n${await simulator.logTail()}`);
  return failed.code ?? 1;
}

async function run(demo: Demo): Promise<number> {
  const { options, dataDir, display, stop, children } = demo;
  await mkdir(dataDir, { recursive: true });
  // Another one that runs there writes the log.
  await refuseFolderInUse(dataDir);
  const environment = await demoEnvironment(process.env);
  await forgetDeadSystem(dataDir);
  display.say(`starting Odograph; its log is ${relative('', join(dataDir, 'demo.log'))}`);
  const system = await startSystem(join(dataDir, 'demo.log'), environment);
  children.push(system);
  const runtime = await untilReady(system, dataDir, stop);
  if (runtime === undefined) return 0;
  display.say(`${addresses(runtime, dataDir)}  ${options.devices} trackers send a record a second each; Ctrl-C ends the demo\n`);
  const before = await positionsBefore(runtime.postgresUrl);
  if (before > 0) display.say(`  ${before.toLocaleString('en')} positions of earlier runs are stored\n`);
  const simulator = await startSimulator(options, runtime, join(dataDir, 'simulator.log'), environment);
  children.push(simulator);
  await watch(demo, runtime.metricsUrl);
  return await verdict(demo, system, simulator);
}

/** Ends what runs, in reverse order of its start. @returns the pids of processes that do not end. */
async function end({ dataDir, display, children }: Demo): Promise<readonly number[]> {
  const started = await startedProcesses();
  if (children.some((child) => child.end() === undefined)) display.say(`stopping; the data stays in ${dataDir}`);
  const [system, simulator] = children;
  // Without a system the simulator would wait for one.
  const gentle = system?.end() === undefined ? 'SIGTERM' : 'SIGKILL';
  if (simulator !== undefined) await endProcess(simulator.pid, gentle, SIMULATOR_STOP_TIMEOUT_MS);
  if (system !== undefined) await endProcess(system.pid, 'SIGTERM', SYSTEM_STOP_TIMEOUT_MS);
  return await leftovers(started);
}

async function main(): Promise<number> {
  const children: Child[] = [];
  const stop = stopRequest(() => {
    for (const child of children) if (child.end() === undefined) process.kill(child.pid, 'SIGKILL');
    process.exit(130);
  });
  const options = parseOptions(process.argv.slice(2));
  const dataDir = resolve(dataFolder(process.env));
  const demo: Demo = { options, dataDir, display: new Display(process.stdout), stop, children };
  let code = 1;
  try {
    code = await run(demo);
  } catch (error) {
    demo.display.say(errorMessage(error));
    if (error instanceof StartError) code = error.code ?? code;
  }
  const left = await end(demo);
  if (left.length === 0) return code;
  demo.display.say(`still running after the end of the demo: ${left.join(', ')}`);
  return 1;
}

process.exit(await main());
