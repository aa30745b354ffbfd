import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeRuntime } from '../../src/shared/runtime-file.ts';
import { findRunningInstance } from '../../src/simulator/running-instance.ts';

const RUNTIME = {
  pid: process.pid,
  redisUrl: 'redis://127.0.0.1:1',
  postgresUrl: 'postgres://127.0.0.1:2/odograph',
  metricsUrl: 'http://127.0.0.1:3',
  liveUrl: null,
  apiUrl: null,
  listeners: [
    { protocol: 'gt06', transport: 'tcp', host: '127.0.0.1', port: 5_023 },
    { protocol: 'teltonika', transport: 'udp', host: '127.0.0.1', port: 5_027 },
    { protocol: 'teltonika', transport: 'tcp', host: '0.0.0.0', port: 5_028 },
  ],
};

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulator-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('findRunningInstance', () => {
  it('finds the Teltonika port over TCP, the database and the metrics', async () => {
    await writeRuntime(folder, RUNTIME);
    expect(findRunningInstance(folder)).toEqual({
      listener: { host: '127.0.0.1', port: 5_028 }, postgresUrl: RUNTIME.postgresUrl, metricsUrl: RUNTIME.metricsUrl,
    });
  });

  it('finds no listener where none speaks Teltonika over TCP', async () => {
    await writeRuntime(folder, { ...RUNTIME, listeners: RUNTIME.listeners.slice(0, 2) });
    expect(findRunningInstance(folder)).toMatchObject({ listener: null, metricsUrl: RUNTIME.metricsUrl });
  });

  it('finds nothing without the file, or in one that is something else', async () => {
    expect(findRunningInstance(folder)).toBeNull();
    await writeFile(join(folder, 'runtime.json'), '{"pid":');
    expect(findRunningInstance(folder)).toBeNull();
    await writeFile(join(folder, 'runtime.json'), '{"pid":"one"}');
    expect(findRunningInstance(folder)).toBeNull();
  });

  it('finds nothing in the file of a process that is gone', async () => {
    // Above the largest process id of Linux and macOS.
    await writeRuntime(folder, { ...RUNTIME, pid: 2 ** 22 + 1 });
    expect(findRunningInstance(folder)).toBeNull();
  });
});
