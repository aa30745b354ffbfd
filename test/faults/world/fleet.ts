/** The simulated fleet as a process: it sends until it is told to finish, and then compares with the database. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Report } from '../../../src/simulator/report.ts';

const SIMULATOR = fileURLToPath(new URL('../../../src/simulator/main.ts', import.meta.url));

/** Of records that a tracker makes at once, and collects for a frame. */
const RECORDS_PER_FRAME = 10;

export interface FleetOptions {
  readonly port: number;
  readonly postgresUrl: string;
  readonly devices: number;
  /** Records/s of all of them. */
  readonly rate: number;
  readonly seed: number;
}

export interface FinishedFleet {
  readonly exitCode: number | null;
  /** null where it ended without one. */
  readonly report: Report | null;
  readonly stderr: string;
}

export class Fleet {
  readonly options: FleetOptions;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #stdout = '';
  #stderr = '';

  constructor(options: FleetOptions) {
    this.options = options;
    const { port, postgresUrl, devices, rate, seed } = options;
    const args = [
      '--host', '127.0.0.1', '--port', String(port), '--devices', String(devices), '--rate', String(rate),
      '--burst', String(RECORDS_PER_FRAME), '--records-per-frame', String(RECORDS_PER_FRAME), '--seed', String(seed),
      '--ramp', '500ms', '--reconnect', '20s', '--ack-timeout', '5s', '--faults', '--fault-rate', '0.01',
      '--verify', '--verify-timeout', '15s', '--postgres-url', postgresUrl, '--json',
    ];
    const { PATH = '', HOME = '' } = process.env;
    this.#child = spawn(process.execPath, [SIMULATOR, ...args], { env: { PATH, HOME }, stdio: ['ignore', 'pipe', 'pipe'] });
    process.once('exit', () => { this.#child.kill('SIGKILL'); });
    this.#child.stdout?.on('data', (bytes: Buffer) => { this.#stdout += bytes.toString(); });
    this.#child.stderr?.on('data', (bytes: Buffer) => { this.#stderr += bytes.toString(); });
    this.#closed = once(this.#child, 'close');
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends what is left, waits for its acknowledgements, and compares. */
  async finish(): Promise<FinishedFleet> {
    this.#child.kill('SIGINT');
    await this.#closed;
    const report = this.#stdout.startsWith('{') ? JSON.parse(this.#stdout) as Report : null;
    return { exitCode: this.#child.exitCode, report, stderr: this.#stderr };
  }
}
