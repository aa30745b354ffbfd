/** Odograph with servers of its own, and a second one on the same data folder: that one refuses, and says why. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, inject, onTestFinished, test } from 'vitest';
import { readRuntime } from '../../src/shared/runtime-file.ts';
import { eventually } from '../support/eventually.ts';
import { startOdograph } from './support.ts';

const DEMO = fileURLToPath(new URL('../../src/demo/main.ts', import.meta.url));

interface Demo {
  readonly printed: Promise<string>;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  stop(): void;
}

/** What `npm run demo` runs. */
function startDemo(dataDir: string): Demo {
  const env = { PATH: process.env.PATH, ODOGRAPH_DATA_DIR: dataDir };
  const child = spawn(process.execPath, [DEMO, '--devices', '1'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = (once(child, 'close') as Promise<[number | null]>).then(([code]) => code);
  const stop = (): void => { child.kill('SIGTERM'); };
  onTestFinished(async () => {
    stop();
    await ended;
  });
  return { printed: text(child.stdout), ended, stop };
}

test('the demo and the program refuse the data folder of a running demo, name its process, and do it no harm', async () => {
  const dataDir = await mkdtemp(join(inject('servers').folder, 'demo-'));
  const first = startDemo(dataDir);
  const { pid, metricsUrl } = await eventually(() => {
    const runtime = readRuntime(dataDir);
    if (runtime === undefined) throw new Error('not ready yet');
    return runtime;
  }, { timeoutMs: 60_000 });
  const refusal = `the data folder ${dataDir} is in use by another Odograph, process ${pid}: stop that one, or set ODOGRAPH_DATA_DIR`;

  const second = startDemo(dataDir);
  expect(await second.ended).toBe(1);
  expect(await second.printed).toContain(refusal);

  const third = await startOdograph({ ODOGRAPH_DATA_DIR: dataDir });
  expect(await third.ended()).toBe(1);
  expect(third.lines.at(-1)).toMatchObject({ level: 'fatal', msg: 'cannot start', error: refusal });

  expect((await fetch(`${metricsUrl}/readyz`)).status).toBe(200);
  first.stop();
  expect(await first.ended).toBe(0);
});
