/** Embedded Redis. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, expect, inject, onTestFinished, test } from 'vitest';
import { startRedis } from '../../src/embedded/redis.ts';
import type { Server } from '../../src/embedded/server.ts';
import { PortTakenError, ServerStartError } from '../../src/embedded/server.ts';

const started: Server[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

const folder = (): Promise<string> => mkdtemp(join(inject('servers').folder, 'embedded redis-'));

async function start(dataDir: string, options: { port?: number; log?: (line: string) => void } = {}): Promise<Server> {
  const server = await startRedis({ dataDir, binary: 'redis-server', ...options });
  started.push(server);
  return server;
}

async function ask<T>(url: string, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { retryStrategy: () => null, lazyConnect: true, enableReadyCheck: false, protocol: 2 });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

test('keeps data and password over a stop', async () => {
  const dataDir = await folder();
  const first = await start(dataDir);
  await ask(first.url, (redis) => redis.set('kept', '42'));
  await first.stop();
  expect(await first.ended).toBe('exited with 0');
  const second = await start(dataDir, { port: first.port });
  expect(second.url).toBe(first.url);
  expect(await ask(second.url, (redis) => redis.get('kept'))).toBe('42');
});

test('appends to a file, evicts nothing, and lets nobody in without the password', async () => {
  const { url } = await start(await folder());
  const names = ['appendonly', 'appendfsync', 'auto-aof-rewrite-min-size', 'maxmemory-policy'];
  expect(await ask(url, (redis) => redis.config('GET', ...(names as ['appendonly'])))).toEqual(
    expect.arrayContaining([
      'appendonly', 'yes', 'appendfsync', 'everysec', 'auto-aof-rewrite-min-size', String(1024 ** 3), 'maxmemory-policy', 'noeviction',
    ]),
  );
  const stranger = new URL(url);
  stranger.password = '';
  await expect(ask(stranger.href, (redis) => redis.get('kept'))).rejects.toThrow('NOAUTH');
});

test('ends a server that was left behind on the same folder, and loads its data', async () => {
  const dataDir = await folder();
  const stale = await start(dataDir);
  await ask(stale.url, (redis) => redis.set('kept', '42'));
  const lines: string[] = [];
  const next = await start(dataDir, { log: (line) => lines.push(line) });
  expect(lines).toEqual([`ending Redis ${stale.pid}, left behind by a process that was killed`]);
  expect(await stale.ended).toBe('exited with 0');
  expect(await ask(next.url, (redis) => redis.get('kept'))).toBe('42');
});

test('starts although its pid file names a process that is another program by now, and leaves that alone', async () => {
  const dataDir = await folder();
  await (await start(dataDir)).stop();
  const stranger = spawn('sleep', ['600'], { stdio: 'ignore' });
  onTestFinished(() => { stranger.kill('SIGKILL'); });
  await once(stranger, 'spawn');
  await writeFile(join(dataDir, 'redis.pid'), `${stranger.pid}\n`);
  const lines: string[] = [];
  await start(dataDir, { log: (line) => lines.push(line) });
  expect(lines).toEqual([]);
  expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
});

test('stops although it is frozen', async () => {
  const server = await start(await folder());
  process.kill(server.pid, 'SIGSTOP');
  await server.stop();
  expect(await server.ended).toBe('exited with 0');
});

test('says which port is taken', async () => {
  const { port } = await start(await folder());
  const refused = start(await folder(), { port });
  await expect(refused).rejects.toThrow(PortTakenError);
  await expect(refused).rejects.toThrow(`127.0.0.1:${port}`);
});

test('fails with what the server logged', async () => {
  const refused = startRedis({ dataDir: await folder(), binary: 'redis-server', settings: { 'maxmemory-policy': 'forget' } });
  await expect(refused).rejects.toThrow(ServerStartError);
  await expect(refused).rejects.toThrow('maxmemory-policy');
});

test('says that there is no Redis', async () => {
  await expect(startRedis({ dataDir: await folder(), binary: 'no-such-redis' })).rejects.toThrow('there is no Redis (no-such-redis)');
});
