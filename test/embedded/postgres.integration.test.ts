/** Embedded PostgreSQL, with every version that this machine has. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { afterEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { extensionSettings, findPostgres } from '../../src/embedded/postgres-binaries.ts';
import { startPostgres } from '../../src/embedded/postgres.ts';
import type { Server } from '../../src/embedded/server.ts';
import { PortTakenError, ServerStartError } from '../../src/embedded/server.ts';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows.flat();
  } finally {
    await client.end();
  }
}

/** A process that is no PostgreSQL, of the account that has the cluster: those of others PostgreSQL ignores. */
async function startStranger(cluster: string, cwd = '/'): Promise<ChildProcess> {
  const { uid, gid } = await stat(cluster);
  const stranger = spawn('sleep', ['600'], { cwd, uid, gid, stdio: 'ignore' });
  onTestFinished(() => { stranger.kill('SIGKILL'); });
  await once(stranger, 'spawn');
  return stranger;
}

const started: Server[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

describe.each(await findPostgres())('PostgreSQL $major ($origin)', (binaries) => {
  const settings = extensionSettings(binaries);
  const folder = (): Promise<string> => mkdtemp(join(inject('servers').folder, 'embedded-'));
  const start = async (
    dataDir: string,
    options: { port?: number; log?: (line: string) => void } = {},
  ): Promise<Server> => {
    const server = await startPostgres({ dataDir, binDir: binaries.binDir, settings, ...options });
    started.push(server);
    return server;
  };

  test('keeps data and password over a stop', async () => {
    const dataDir = await folder();
    const first = await start(dataDir);
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    expect(await first.ended).toBe('exited with 0');
    const second = await start(dataDir, { port: first.port });
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([42]);
  });

  test('gives way to others with all of its processes', async () => {
    const { pid, url } = await start(await folder());
    const nice = Math.max(5, getPriority());
    expect(getPriority(pid)).toBe(nice);
    const children = await query(url, "SELECT pid FROM pg_stat_activity WHERE backend_type <> 'client backend'");
    expect(new Set(children.map((child) => getPriority(Number(child))))).toEqual(new Set([nice]));
  });

  test('writes durably, in UTF-8, and lets nobody in without the password', async () => {
    const { url } = await start(await folder());
    const names = ['fsync', 'synchronous_commit', 'full_page_writes', 'server_encoding'];
    const values = await Promise.all(names.map(async (name) => (await query(url, `SHOW ${name}`))[0]));
    expect(values).toEqual(['on', 'on', 'on', 'UTF8']);
    const stranger = new URL(url);
    stranger.password = 'guess';
    await expect(query(stranger.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  });

  test('ends a server that was left behind on the same folder, and recovers its data', async () => {
    const dataDir = await folder();
    const stale = await start(dataDir);
    await query(stale.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const lines: string[] = [];
    const next = await start(dataDir, { log: (line) => lines.push(line) });
    expect(lines).toEqual([`ending PostgreSQL ${stale.pid}, left behind by a process that was killed`]);
    expect(await stale.ended).toBe('exited with 0');
    expect(await query(next.url, 'SELECT answer FROM kept')).toEqual([42]);
  });

  test('recovers from SIGKILL', async () => {
    const dataDir = await folder();
    const killed = await start(dataDir);
    await query(killed.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(killed.pid, 'SIGKILL');
    expect(await killed.ended).toBe('ended by SIGKILL');
    const next = await start(dataDir);
    expect(await query(next.url, 'SELECT answer FROM kept')).toEqual([42]);
  });

  test.each([
    ['names a process that is another program by now', (pid: number, text: string) => text.replace(/^\d+/, String(pid))],
    ['is empty, as a loss of power leaves it', () => ''],
  ])('starts although the pid file of a killed server %s', async (_what, change) => {
    const dataDir = await folder();
    const killed = await start(dataDir);
    await query(killed.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(killed.pid, 'SIGKILL');
    await killed.ended;
    const cluster = join(dataDir, 'cluster');
    const stranger = await startStranger(cluster);
    const pidFile = join(cluster, 'postmaster.pid');
    await writeFile(pidFile, change(stranger.pid ?? 0, await readFile(pidFile, 'utf8')));
    const lines: string[] = [];
    const next = await start(dataDir, { log: (line) => lines.push(line) });
    expect(await query(next.url, 'SELECT answer FROM kept')).toEqual([42]);
    expect(lines).toEqual(['removing postmaster.pid of a PostgreSQL that is gone']);
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  });

  test('refuses a folder on which somebody else has started a server', async () => {
    const dataDir = await folder();
    const first = await start(dataDir);
    await first.stop();
    const cluster = join(dataDir, 'cluster');
    const stranger = await startStranger(cluster, cluster);
    await writeFile(join(cluster, 'postmaster.pid'), `${stranger.pid}\n${cluster}\n0\n${first.port}\n\n127.0.0.1\n`);
    await expect(start(dataDir)).rejects.toThrow(`Is another postmaster (PID ${stranger.pid}) running in data directory`);
  });

  test.runIf(process.getuid?.() === 0)('as root, runs under another account, also below a folder that only root may enter', async () => {
    const closed = await folder();
    await chmod(closed, 0o700);
    const dataDir = join(closed, 'deep', 'er');
    await mkdir(dataDir, { recursive: true });
    const server = await start(dataDir);
    expect((await stat(`/proc/${server.pid}`)).uid).not.toBe(0);
    expect(await query(server.url, 'SELECT 1')).toEqual([1]);
  });

  test.runIf(process.getuid?.() === 0 && binaries.origin === 'npm')('as root, starts binaries that only root may reach', async () => {
    const closed = await folder();
    await chmod(closed, 0o700);
    await cp(dirname(binaries.binDir), closed, { recursive: true, verbatimSymlinks: true });
    const server = await startPostgres({ dataDir: await folder(), binDir: join(closed, 'bin') });
    started.push(server);
    expect(await query(server.url, 'SELECT 1')).toEqual([1]);
  });

  test('says which port is taken', async () => {
    const { port } = await start(await folder());
    const refused = start(await folder(), { port });
    await expect(refused).rejects.toThrow(PortTakenError);
    await expect(refused).rejects.toThrow(`127.0.0.1:${port}`);
  });

  test('fails with what the server logged', async () => {
    const dataDir = await folder();
    const refused = startPostgres({ dataDir, binDir: binaries.binDir, settings: { shared_buffers: 'plenty' } });
    await expect(refused).rejects.toThrow(ServerStartError);
    await expect(refused).rejects.toThrow('shared_buffers');
  });
});
