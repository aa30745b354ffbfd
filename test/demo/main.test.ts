/** How the demo ends where it cannot start. It starts no server here. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { lockDataFolder } from '../../src/embedded/data-folder-lock.ts';

const DEMO = fileURLToPath(new URL('../../src/demo/main.ts', import.meta.url));
const SIMULATOR = fileURLToPath(new URL('../../src/simulator/main.ts', import.meta.url));

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'odograph-'));
  return () => rm(dataDir, { recursive: true, force: true });
});

async function runDemo(settings: Readonly<Record<string, string>>): Promise<{ code: number | null; output: string }> {
  const env = { ...process.env, ODOGRAPH_DATA_DIR: dataDir, ...settings };
  const child = spawn(process.execPath, [DEMO], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => { child.kill('SIGKILL'); });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => { output += bytes.toString(); });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

test('on wrong settings as Odograph ends, with what it says', async () => {
  const { code, output } = await runDemo({ LIVE_FOO: '1' });
  expect(output).toContain('LIVE_FOO');
  expect(code).toBe(2);
});

test('beside one that runs, whose log it leaves alone', async () => {
  const { release } = await lockDataFolder(dataDir);
  onTestFinished(release);
  await writeFile(join(dataDir, 'demo.log'), 'of the other\n');
  const { code, output } = await runDemo({ LIVE_FOO: '1' });
  expect(output).toContain(`in use by another Odograph, process ${process.pid}`);
  expect(code).toBe(1);
  expect(await readFile(join(dataDir, 'demo.log'), 'utf8')).toBe('of the other\n');
});

test.each([['demo', DEMO, 0], ['simulator', SIMULATOR, 141]])('help of the %s that nobody reads to its end is no error', async (_what, program, code) => {
  const child = spawn(process.execPath, [program, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let errors = '';
  child.stderr.on('data', (bytes: Buffer) => { errors += bytes.toString(); });
  expect(await once(child, 'close')).toEqual([code, null]);
  expect(errors).toBe('');
});
