import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { getPriority } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { giveWay } from '../../src/shared/priority.ts';

test('a process gives way, and never less than it does already', async () => {
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => undefined, 1_000)'], { stdio: 'ignore' });
  onTestFinished(() => { child.kill('SIGKILL'); });
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const before = getPriority(pid);
  expect(giveWay(before + 2, pid)).toBeNull();
  expect(getPriority(pid)).toBe(before + 2);
  expect(giveWay(before, pid)).toBeNull();
  expect(getPriority(pid)).toBe(before + 2);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  expect(giveWay(19, pid)).toMatchObject({ code: 'ERR_SYSTEM_ERROR' });
});
