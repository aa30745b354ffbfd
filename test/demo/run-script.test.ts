/** `scripts/run.mjs`, through which every npm script goes: it ends as its child ends, and the child ends with it. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { startOf } from '../../src/embedded/process-table.ts';
import { eventually } from '../support/eventually.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCRIPT = 'scripts/run.mjs';
const PROGRAM = 'test/demo/signalled-program.ts';

async function start(command: string, args: readonly string[]): Promise<{ wrapper: ChildProcess; pid: number }> {
  const env = { ...process.env, npm_lifecycle_event: 'test' };
  const wrapper = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const [line] = (await once(wrapper.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  onTestFinished(async () => {
    wrapper.kill('SIGKILL');
    if ((await startOf(pid)) !== undefined) process.kill(pid, 'SIGKILL');
  });
  return { wrapper, pid };
}

const run = (): Promise<{ wrapper: ChildProcess; pid: number }> => start(process.execPath, [SCRIPT, PROGRAM]);

async function gone(pid: number): Promise<void> {
  await eventually(async () => {
    expect(await startOf(pid)).toBeUndefined();
  });
}

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('passes %s on once, however often it comes at a time', async (signal) => {
  const { wrapper, pid } = await run();
  wrapper.kill(signal);
  wrapper.kill(signal);
  if (signal === 'SIGTERM') process.kill(-(wrapper.pid ?? 0), signal);
  expect(await once(wrapper, 'exit')).toEqual([11, null]);
  await gone(pid);
});

test.runIf(process.platform === 'linux')('leaves no child behind when it is killed', async () => {
  const { wrapper, pid } = await run();
  wrapper.kill('SIGKILL');
  await gone(pid);
});

test('ends when the shell that npm put in between is killed', async () => {
  const { wrapper, pid } = await start('sh', ['-c', `"${process.execPath}" ${SCRIPT} ${PROGRAM}; exit $?`]);
  wrapper.kill('SIGKILL');
  await gone(pid);
});

test('runs tools of node_modules, and ends with their exit code', async () => {
  const tool = spawn(process.execPath, [SCRIPT, 'tsc', '--no-such-option'], { cwd: ROOT, stdio: 'ignore' });
  expect(await once(tool, 'exit')).toEqual([1, null]);
});

test('without a program it says how it is used', async () => {
  const child = spawn(process.execPath, [SCRIPT], { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] });
  const [text] = (await once(child.stderr, 'data')) as [Buffer];
  expect(text.toString()).toContain('usage:');
  expect(await once(child, 'exit')).toEqual([2, null]);
});
