/** `npm run keys` and `npm run users` as processes over a real PostgreSQL and a real Redis. */
import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, inject, test } from 'vitest';
import { isPassword } from '../../src/auth/local/passwords.ts';
import { ACCOUNTS_KEY } from '../../src/shared/contracts/accounts.ts';
import { writeRuntime } from '../../src/shared/runtime-file.ts';
import type { Site } from '../core/support.ts';
import { openSite, value } from '../core/support.ts';
import { openPreparedSite } from '../live/support.ts';

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Environment = Readonly<Record<string, string>>;

async function run(program: 'keys' | 'users', args: readonly string[], settings: Environment, input = ''): Promise<Outcome> {
  const main = fileURLToPath(new URL(`../../src/accounts/${program}-main.ts`, import.meta.url));
  const child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env.PATH, ...settings }, stdio: 'pipe' });
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => { stdout += bytes.toString(); });
  child.stderr.on('data', (bytes: Buffer) => { stderr += bytes.toString(); });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return { code: await promise, stdout, stderr };
}

let site: Site;
let settings: Environment;
beforeEach(async () => {
  site = await openPreparedSite();
  settings = { REDIS_URL: site.redisUrl, POSTGRES_URL: site.postgresUrl };
});

type Published = Record<string, Record<string, unknown>>;

async function published(): Promise<Published> {
  const accounts = Object.entries(await site.redis.hgetall(ACCOUNTS_KEY));
  return Object.fromEntries(accounts.map(([id, text]) => [id, JSON.parse(text) as Published[string]]));
}

describe('keys', () => {
  test('are made, published at once, listed without their secrets, and revoked', async () => {
    const made = await run('keys', ['create', 'importer', '--scope', 'read', '--scope', 'write', '--device', 'a,b', '--expires', '30d'], settings);
    expect({ ...made, stdout: '' }).toEqual({ code: 0, stdout: '', stderr: 'This is the only time that the key is shown: keep it where secrets are kept.\n' });
    const [, key = '', id = ''] = /^(odo_([a-z0-9]{12})_[\w-]{43})\n$/.exec(made.stdout) ?? [];
    expect(await published()).toMatchObject({ [`key:${id}`]: { scopes: ['read', 'write'], all: false, devices: ['a', 'b'], groups: [] } });
    expect(await value(site.pool, 'select octet_length(secret_hash) from api_keys')).toBe(32);
    const listed = await run('keys', ['list'], settings);
    expect(listed.stdout).toMatch(new RegExp(`^${id}  importer  read\\+write  device a, device b  good until \\d{4}-`));
    expect(listed.stdout).not.toContain(key.slice(17));
    // The whole key does as well as its id.
    const revoked = await run('keys', ['revoke', key, 'nothing'], settings);
    expect(revoked).toEqual({ code: 1, stdout: `${id} is revoked\n`, stderr: 'no such key: nothing\n' });
    expect(await published()).toEqual({});
    expect((await run('keys', ['list', '--json'], settings)).stdout).toContain('"revokedAt":"2');
  });

  test('print JSON', async () => {
    const { code, stdout } = await run('keys', ['create', 'x', '--scope', 'admin', '--json'], settings);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'x', scopes: ['admin'], all: true, devices: [], expiresAt: null, revokedAt: null, key: expect.stringMatching(/^odo_/) as string });
  });

  test.each([
    [['create', 'x', '--all'], /--scope: expected one or more of read, write, admin, got nothing/],
    [['create', 'x', '--scope', 'fly', '--all'], /--scope: expected one or more of read, write, admin, got "fly"/],
    [['create', 'x', '--scope', 'read'], /what it reaches: expected --all, --device or --group, got none of them/],
    [['create', 'x', '--scope', 'read', '--all', '--device', 'a'], /--all: expected no --device and no --group beside it/],
    [['create', 'x', '--scope', 'admin', '--device', 'a'], /admin: expected no --device/],
    [['create', 'x', '--scope', 'read', '--group', 'fleet'], /--group: expected ids of groups, which are UUIDs, got "fleet"/],
    [['create', 'x', '--scope', 'read', '--all', '--expires', 'soon'], /--expires: expected a duration/],
    [['create'], /missing required argument 'name'/],
    [['fly'], /unknown command 'fly'/],
  ])('%j is told what is wrong', async (args, problem) => {
    const { code, stderr } = await run('keys', args, settings);
    expect(code).toBe(2);
    expect(stderr).toMatch(problem);
    expect(await value(site.pool, 'select count(*) from api_keys')).toBe(0);
  });
});

describe('users', () => {
  const PASSWORD = 'correct horse battery staple';

  test('are added, listed, given another password, and removed', async () => {
    const added = await run('users', ['create', 'Ada', '--role', 'editor', '--all'], settings, `${PASSWORD}\n`);
    expect(added).toEqual({ code: 0, stdout: 'Ada can sign in as editor\n', stderr: '' });
    const [user] = Object.values(await published());
    expect(user).toMatchObject({ name: 'Ada', role: 'editor', all: true });
    expect(await isPassword(PASSWORD, String(user!.passwordHash))).toBe(true);
    expect((await run('users', ['list'], settings)).stdout).toMatch(/^Ada {2}editor {2}all devices {2}since 2/);
    const changed = await run('users', ['set-password', 'ADA', '--generate'], settings);
    const [, password = ''] = /^password: (\S{24})$/m.exec(changed.stdout) ?? [];
    const [after] = Object.values(await published());
    expect(await isPassword(password, String(after!.passwordHash))).toBe(true);
    expect(await run('users', ['create', 'aDa', '--role', 'viewer', '--all', '--generate'], settings)).toEqual({ code: 1, stdout: '', stderr: 'there is a user aDa already\n' });
    expect((await run('users', ['remove', 'ada'], settings)).code).toBe(0);
    expect(await published()).toEqual({});
    expect(await run('users', ['remove', 'ada'], settings)).toEqual({ code: 1, stdout: '', stderr: 'no such user: ada\n' });
  });

  test('have passwords that are not short, and roles', async () => {
    expect(await run('users', ['create', 'Ada', '--role', 'viewer', '--all'], settings, 'short\n')).toMatchObject({ code: 2, stderr: 'password: expected 10 to 1024 characters, got 5\n' });
    expect(await run('users', ['create', 'Ada', '--all'], settings)).toMatchObject({ code: 2, stderr: '--role: expected one of viewer, editor, admin, got nothing\n' });
  });
});

test('the servers are those of the Odograph that runs here', async () => {
  const dataDir = await mkdtemp(join(inject('servers').folder, 'runtime-'));
  const { redisUrl, postgresUrl } = site;
  await writeRuntime(dataDir, { pid: process.pid, redisUrl, postgresUrl, metricsUrl: '', liveUrl: null, apiUrl: null, listeners: [] });
  expect((await run('keys', ['create', 'x', '--scope', 'read', '--all'], { ODOGRAPH_DATA_DIR: dataDir })).code).toBe(0);
  const nowhere = await run('keys', ['list'], { ODOGRAPH_DATA_DIR: join(dataDir, 'nowhere') });
  expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('REDIS_URL: expected a URL, since no Odograph runs') as string });
});

test('a server that is away, or not made ready yet, is named', async () => {
  const away = await run('keys', ['list'], { ...settings, POSTGRES_URL: 'postgres://127.0.0.1:1/none' });
  expect(away).toMatchObject({ code: 3, stderr: expect.stringContaining('ECONNREFUSED') as string });
  const { postgresUrl } = await openSite();
  const empty = await run('keys', ['list'], { ...settings, POSTGRES_URL: postgresUrl });
  expect(empty).toMatchObject({ code: 3, stderr: 'the database does not have the tables of this version: start Odograph with the role core once\n' });
});

test('what could not be published is kept, and said', async () => {
  const { code, stdout, stderr } = await run('keys', ['create', 'x', '--scope', 'read', '--all'], { ...settings, REDIS_URL: 'redis://127.0.0.1:1' });
  expect(code).toBe(3);
  expect(stdout).toMatch(/^odo_/);
  expect(stderr).toContain('kept, but not published yet');
  expect(await value(site.pool, 'select count(*) from api_keys')).toBe(1);
});
