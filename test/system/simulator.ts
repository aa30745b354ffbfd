/** `src/simulator/main.ts` as a child process: a fleet that misbehaves, and its verdict on the database. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Report } from '../../src/simulator/report.ts';

const MAIN = fileURLToPath(new URL('../../src/simulator/main.ts', import.meta.url));
/** So many frames that a short run meets every kind of fault. */
const FAULT_RATE = '0.05';

export interface Load {
  /**
   * Ends the load and compares the database with what was acknowledged.
   * @throws Error with what it printed when it could not
   */
  verified(): Promise<Report>;
}

/** Twenty trackers with 50 records a second each, which behave as badly as they do in the field, until `verified`. */
export function startFaultyLoad(port: number, postgresUrl: string): Load {
  const args = [
    '--host', '127.0.0.1', '--port', String(port), '--devices', '20', '--interval', '100ms', '--burst', '5',
    '--records-per-frame', '5', '--ack-timeout', '2s', '--faults', '--fault-rate', FAULT_RATE,
    '--verify', '--postgres-url', postgresUrl, '--json',
  ];
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => { child.kill('SIGKILL'); });
  const [printed, problems, closed] = [text(child.stdout), text(child.stderr), once(child, 'close')];
  return {
    async verified() {
      child.kill('SIGTERM');
      await closed;
      const report = await printed;
      if (report === '') throw new Error(`the simulator has no report:\n${await problems}`);
      return JSON.parse(report) as Report;
    },
  };
}
