/** Embedded mode as a whole: one living owner per data folder, and what is left of one that was killed. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { DataFolderInUseError } from '../../src/embedded/data-folder-lock.ts';
import { startOf } from '../../src/embedded/process-table.ts';
import type { Embedded } from '../../src/embedded/servers.ts';
import { startEmbedded } from '../../src/embedded/servers.ts';
import { eventually } from '../support/eventually.ts';

let dataDir: string;
const stops: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(inject('servers').folder, 'odograph-'));
});

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(folder = dataDir): Promise<Embedded> {
  const servers = await startEmbedded({ dataDir: folder, redis: true, postgres: true });
  stops.push(() => servers.stop());
  return servers;
}

/** Another process that holds the folder, with its servers. */
async function startElsewhere(): Promise<{ holder: ChildProcess; redisUrl: string; postgresUrl: string }> {
  const program = fileURLToPath(new URL('hold-servers.ts', import.meta.url));
  const holder = spawn(process.execPath, [program, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] });
  stops.push(async () => {
    if (holder.exitCode !== null || holder.signalCode !== null) return;
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  });
  const [line] = (await once(holder.stdout, 'data')) as [Buffer];
  return { holder, ...(JSON.parse(line.toString()) as { redisUrl: string; postgresUrl: string }) };
}

async function serverPids(): Promise<number[]> {
  const files = [join(dataDir, 'redis', 'redis.pid'), join(dataDir, 'postgres', 'cluster', 'postmaster.pid')];
  return await Promise.all(files.map(async (file) => Number((await readFile(file, 'utf8')).split('\n')[0])));
}

async function write(redisUrl: string, postgresUrl: string): Promise<void> {
  const redis = new Redis(redisUrl);
  await redis.set('kept', '42');
  redis.disconnect();
  const client = new Client({ connectionString: postgresUrl });
  await client.connect();
  await client.query('CREATE TABLE kept AS SELECT 42 AS answer');
  await client.end();
}

async function read({ redisUrl = '', postgresUrl = '' }: Embedded): Promise<unknown[]> {
  const redis = new Redis(redisUrl);
  const fromRedis = await redis.get('kept');
  redis.disconnect();
  const client = new Client({ connectionString: postgresUrl });
  await client.connect();
  const { rows } = await client.query<{ answer: number }>('SELECT answer FROM kept');
  await client.end();
  return [fromRedis, rows[0]?.answer];
}

test('refuses a folder that a living process has, and names its pid', async () => {
  const { holder } = await startElsewhere();
  const refused = startEmbedded({ dataDir, redis: true, postgres: true });
  await expect(refused).rejects.toThrow(DataFolderInUseError);
  await expect(refused).rejects.toThrow(`process ${holder.pid}`);
});

test('loses nothing when its process is killed, leaves no server behind and starts again', async () => {
  const { holder, redisUrl, postgresUrl } = await startElsewhere();
  await write(redisUrl, postgresUrl);
  const before = await serverPids();
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const servers = await start();
  expect(await read(servers)).toEqual(['42', 42]);
  await eventually(async () => {
    expect(await Promise.all(before.map((pid) => startOf(pid)))).toEqual([undefined, undefined]);
  });
});

test.runIf(process.platform === 'linux')('ends its servers when it is killed, without another start', async () => {
  const { holder } = await startElsewhere();
  const pids = await serverPids();
  holder.kill('SIGKILL');
  await eventually(async () => {
    expect(await Promise.all(pids.map((pid) => startOf(pid)))).toEqual([undefined, undefined]);
  });
});

test('a lock of a dead process, or of another process with the same pid, blocks nobody', async () => {
  await writeFile(join(dataDir, 'odograph.lock'), `${process.pid}\nlong ago\n`);
  const servers = await startEmbedded({ dataDir, redis: false, postgres: false });
  await servers.stop();
});

test('starts only what is asked for', async () => {
  const servers = await startEmbedded({ dataDir, redis: true, postgres: false });
  stops.push(() => servers.stop());
  expect(servers.redisUrl).toMatch(/^redis:\/\/:\w+@127\.0\.0\.1:\d+$/);
  expect(servers.postgresUrl).toBeUndefined();
});

test('refuses a cluster of a version that this machine has not, and frees the folder', async () => {
  const cluster = join(dataDir, 'postgres', 'cluster');
  await mkdir(cluster, { recursive: true });
  await writeFile(join(cluster, 'PG_VERSION'), '9\n');
  await expect(start()).rejects.toThrow('was made by PostgreSQL 9');
  const servers = await startEmbedded({ dataDir, redis: true, postgres: false });
  await servers.stop();
});

test('says which server ended by itself', async () => {
  const servers = await start();
  const [redisPid = 0] = await serverPids();
  process.kill(redisPid, 'SIGKILL');
  expect(await servers.lost).toBe('Redis ended by SIGKILL');
});
