/** `src/main.ts` as a child process, and trackers that talk to it. What a test has started ends with it. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { freePort } from '../../src/embedded/port.ts';
import { eventually } from '../support/eventually.ts';

export const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export type Environment = Readonly<Record<string, string>>;

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly role?: string;
  readonly error?: string;
  readonly port?: number;
}

export interface Readiness {
  readonly status: number;
  readonly checks: Readonly<Record<string, string>>;
}

export interface Odograph {
  readonly child: ChildProcess;
  readonly lines: readonly LogLine[];
  /** What it printed beside its log. */
  readonly stderr: () => string;
  /** Of its first tracker port, once it listens. */
  trackerPort(): Promise<number>;
  /** What `/readyz` says; rejects while nobody listens. */
  readiness(): Promise<Readiness>;
  /** Resolves once `/readyz` says 200. */
  ready(): Promise<void>;
  metrics(): Promise<string>;
  /** Sends the signal and resolves with the exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
  /** Resolves with the exit code when it ends by itself. */
  ended(): Promise<number | NodeJS.Signals | null>;
}

const SETTINGS = {
  LOG_FORMAT: 'json',
  LOG_LEVEL: 'debug',
  INSTANCE_ID: 'one',
  INGEST_LISTENERS: 'teltonika:0',
  INGEST_HOST: '127.0.0.1',
  METRICS_HOST: '127.0.0.1',
  LIVE_WS_PORT: '0',
  API_PORT: '0',
  API_HOST: '127.0.0.1',
  LIVE_WS_HOST: '127.0.0.1',
  STREAM_PARTITIONS: '2',
  PROCESSOR_BLOCK_MS: '50',
  SHUTDOWN_TIMEOUT_MS: '5000',
  POSITIONS_RETENTION_DAYS: '0',
  POSITIONS_PARTITION_DAYS_AHEAD: '1',
  POSITIONS_PARTITION_DAYS_BEHIND: '1',
};

function watch(child: ChildProcess): { lines: LogLine[]; stderr: () => string } {
  const lines: LogLine[] = [];
  let errors = '';
  child.stderr?.on('data', (bytes: Buffer) => { errors += bytes.toString(); });
  if (child.stdout !== null) {
    createInterface(child.stdout).on('line', (line) => { lines.push(JSON.parse(line) as LogLine); });
  }
  return { lines, stderr: () => errors };
}

/**
 * Starts Odograph with these settings and nothing else of the environment but where programs are.
 * @param program that of another release
 */
export async function startOdograph(settings: Environment, program = MAIN): Promise<Odograph> {
  const metricsPort = await freePort();
  const env = { PATH: process.env.PATH, ...SETTINGS, METRICS_PORT: String(metricsPort), ...settings };
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const ended = async (): Promise<number | NodeJS.Signals | null> => {
    const [code, signal] = await closed;
    return code ?? signal;
  };
  const end = (signal: NodeJS.Signals): ReturnType<typeof ended> => {
    child.kill(signal);
    return ended();
  };
  onTestFinished(async () => { await end('SIGKILL'); });
  const { lines, stderr } = watch(child);
  const ask = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${metricsPort}${path}`);
  const readiness = async (): Promise<Readiness> => {
    const response = await ask('/readyz');
    const { checks } = (await response.json()) as { checks: Readiness['checks'] };
    return { status: response.status, checks };
  };
  return {
    child, lines, stderr, readiness, ended, end,
    metrics: async () => (await ask('/metrics')).text(),
    ready: async () => { await eventually(async () => (await readiness()).status === 200, { timeoutMs: 20_000 }); },
    trackerPort: () => eventually(() => {
      const port = lines.find(({ msg }) => msg === 'listening for trackers')?.port;
      if (port === undefined) throw new Error(`does not listen: ${stderr()}`);
      return port;
    }),
  };
}
