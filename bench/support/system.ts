/** Programs of this repository as processes of their own: the system and the simulated fleet. They end with the run. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pause } from '../../src/shared/wait.ts';

const never = new AbortController().signal;
const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 50;

type Environment = Readonly<Record<string, string>>;

interface LogLine {
  readonly level?: string;
  readonly msg?: string;
  readonly port?: number;
  readonly metricsUrl?: string;
}

/** A program whose log is JSON lines. */
export class Program {
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];

  constructor(file: string, args: readonly string[], env: Environment, nodeArgs: readonly string[] = []) {
    const program = fileURLToPath(new URL(`../../${file}`, import.meta.url));
    const { PATH = '', HOME = '' } = process.env;
    const options = { env: { PATH, HOME, ...env }, stdio: ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit'] };
    this.child = spawn(process.execPath, [...nodeArgs, program, ...args], options);
    process.on('exit', () => { this.child.kill('SIGKILL'); });
    if (this.child.stdout === null) return;
    createInterface(this.child.stdout).on('line', (line) => {
      if (line.startsWith('{')) this.lines.push(JSON.parse(line) as LogLine);
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The first log line with this message. */
  async logged(message: string): Promise<LogLine> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      const found = this.lines.find(({ msg }) => msg === message);
      if (found !== undefined) return found;
      const wrong = this.lines.filter(({ level }) => level === 'fatal' || level === 'error').at(-1);
      if (performance.now() > deadline || this.child.exitCode !== null) throw new Error(`no "${message}": ${JSON.stringify(wrong)}`);
      await pause(POLL_MS, never);
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }
}

export interface System {
  readonly program: Program;
  /** Of Teltonika trackers. */
  readonly trackerPort: number;
  readonly liveUrl: string;
  readonly metricsUrl: string;
}

/** `src/main.ts` with these settings, ready. */
export async function startSystem(env: Environment, nodeArgs: readonly string[] = []): Promise<System> {
  const settings = {
    LOG_FORMAT: 'json', INGEST_LISTENERS: 'teltonika:0', INGEST_HOST: '127.0.0.1', LIVE_WS_HOST: '127.0.0.1',
    LIVE_WS_PORT: '0', API_PORT: '0', METRICS_PORT: '0', METRICS_HOST: '127.0.0.1',
    ...env,
  };
  const program = new Program('src/main.ts', [], settings, nodeArgs);
  const { metricsUrl = '' } = await program.logged('ready');
  const portOf = (message: string): number => program.lines.find(({ msg }) => msg === message)?.port ?? 0;
  const livePort = portOf('listening for viewers');
  return { program, trackerPort: portOf('listening for trackers'), liveUrl: `ws://127.0.0.1:${livePort}/live`, metricsUrl };
}

/** Simulated trackers that send until they are stopped. */
export function startFleet(system: System, devices: number, more: readonly string[] = []): Program {
  const args = ['--devices', String(devices), '--interval', '1s', '--host', '127.0.0.1', '--port', String(system.trackerPort)];
  return new Program('src/simulator/main.ts', [...args, ...more], {});
}
