import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

/** A process that says so when it is asked to stop, and then takes its time. */
const PROGRAM = `
  import { stopSignal } from './src/shared/stop-signal.ts';
  setInterval(() => undefined, 1_000);
  const asked = stopSignal();
  console.log('ready');
  console.log(await asked);
  setTimeout(() => process.exit(0), 3_000);
`;

function startProgram() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = async (): Promise<string> => String((await once(child.stdout, 'data'))[0]).trim();
  return { child, said, ended: once(child, 'exit') };
}

it('one request that arrives twice is one request', async () => {
  const { child, said, ended } = startProgram();
  expect(await said()).toBe('ready');
  child.kill('SIGTERM');
  expect(await said()).toBe('SIGTERM');
  child.kill('SIGINT');
  expect((await ended)[0]).toBe(0);
});

it('a second request ends the process at once', async () => {
  const { child, said, ended } = startProgram();
  expect(await said()).toBe('ready');
  const askedAt = performance.now();
  child.kill('SIGTERM');
  expect(await said()).toBe('SIGTERM');
  const impatient = setInterval(() => child.kill('SIGTERM'), 200);
  expect((await ended)[0]).toBe(130);
  clearInterval(impatient);
  expect(performance.now() - askedAt).toBeLessThan(2_900);
});
