/** `src/main.ts` as a process that is killed, stopped and started again on the same ports, and what it logged. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../src/embedded/port.ts';
import type { Sample } from '../../../src/shared/metrics-text.ts';
import { parseMetrics } from '../../../src/shared/metrics-text.ts';
import { eventually } from '../../support/eventually.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const CLOCK = new URL('clock.ts', import.meta.url).href;
const START_TIMEOUT_MS = 30_000;
const ASK_TIMEOUT_MS = 3_000;

export type Environment = Readonly<Record<string, string>>;

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  /** Of what listens. */
  readonly port?: number;
}

export class Program {
  readonly name: string;
  /** Of all its processes. */
  readonly lines: LogLine[] = [];
  /** How many processes it has had. */
  generation = 0;
  readonly #env: Environment;
  readonly #metricsPort: number;
  readonly #clockFile: string;
  #child: ChildProcess | null = null;

  private constructor(name: string, env: Environment, metricsPort: number, clockFile: string) {
    this.name = name;
    this.#env = env;
    this.#metricsPort = metricsPort;
    this.#clockFile = clockFile;
  }

  /** Not started yet. @param clockFile from which its clock is set: see `clock.ts` */
  static async create(name: string, env: Environment, clockFile: string): Promise<Program> {
    const port = (await freePort()) ?? 0;
    const { PATH = '', HOME = '' } = process.env;
    const basic = { PATH, HOME, LOG_FORMAT: 'json', METRICS_HOST: '127.0.0.1', METRICS_PORT: String(port) };
    return new Program(name, { ...basic, ...env }, port, clockFile);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when it answers on its metrics port, ready or not. */
  async start(): Promise<void> {
    const args = ['--import', CLOCK, MAIN];
    const env = { ...this.#env, CLOCK_OFFSET_FILE: this.#clockFile };
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    process.once('exit', () => { child.kill('SIGKILL'); });
    createInterface(child.stdout).on('line', (line) => {
      if (line.startsWith('{') && line.endsWith('}')) this.lines.push(JSON.parse(line) as LogLine);
    });
    this.#child = child;
    this.generation += 1;
    await eventually(async () => {
      if (!this.isRunning) throw new Error(`${this.name} ended while starting: ${this.lines.at(-1)?.msg ?? 'no log'}`);
      await this.readiness();
    }, { timeoutMs: START_TIMEOUT_MS });
  }

  /** @returns the exit code, or the signal that ended it */
  async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    const child = this.#child;
    if (child === null || !this.isRunning) return child?.exitCode ?? child?.signalCode ?? null;
    const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    child.kill(signal);
    const [code, endSignal] = await ended;
    return code ?? endSignal;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** The status of `/readyz`, and the checks that fail. @throws Error while nobody listens */
  async readiness(): Promise<{ status: number; failing: readonly string[] }> {
    const response = await this.#ask('/readyz');
    const { checks } = (await response.json()) as { checks: Readonly<Record<string, string>> };
    const failing = Object.entries(checks).filter(([, result]) => result !== 'ok');
    return { status: response.status, failing: failing.map(([name, result]) => `${name}: ${result}`) };
  }

  async metrics(): Promise<readonly Sample[]> {
    return parseMetrics(await (await this.#ask('/metrics')).text());
  }

  /** Memory that is resident, bytes (proc(5)); 0 once it has ended. */
  async residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.pid ?? 0}/status`, 'utf8').catch(() => '');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  }

  #ask(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#metricsPort}${path}`, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
  }
}
