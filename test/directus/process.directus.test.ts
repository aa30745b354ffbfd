/** Directus as a process: what tests do to it, and that it goes with whoever started it. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { startOf } from '../../src/embedded/process-table.ts';
import { eventually } from '../support/eventually.ts';
import type { Answer } from './support/api.ts';
import { DirectusApi } from './support/api.ts';
import type { SeededDirectus } from './support/seeded.ts';
import { startSeededDirectus } from './support/seeded.ts';
import { startDirectus } from './support/server.ts';
import { logInSession } from './support/sessions.ts';

let seeded: SeededDirectus;

beforeAll(async () => {
  seeded = await startSeededDirectus();
});

afterAll(() => seeded.stop());

test('frozen, it answers once it is thawed', async () => {
  const { directus } = seeded;
  const pong = async (): Promise<string> => await (await fetch(`${directus.url}/server/ping`)).text();
  await directus.freeze();
  let answered = false;
  const answer = pong().finally(() => {
    answered = true;
  });
  await expect(fetch(`${directus.url}/server/ping`, { signal: AbortSignal.timeout(300) })).rejects.toThrow('timeout');
  expect(answered).toBe(false);
  await directus.thaw();
  expect(await answer).toBe('pong');
});

test('killed and started again, it has its port, its rights and its sessions', async () => {
  const { url } = seeded.directus;
  const { email, password } = seeded.fleet.users.north;
  const session = new DirectusApi(url, { cookie: await logInSession(url, email, password) });
  await seeded.directus.kill();
  await expect(session.ask('GET', '/users/me')).rejects.toThrow('fetch failed');
  seeded.directus = await seeded.directus.again();
  expect(seeded.directus.url).toBe(url);
  expect(await session.readable('devices', 'unique_id', seeded.fleet.devices.all)).toEqual(seeded.fleet.devices.north);
});

test('a second one runs on the same database, with the settings that it is given', async () => {
  const second = await startDirectus({ postgresUrl: seeded.postgresUrl, env: { QUERY_LIMIT_MAX: '3' } });
  onTestFinished(() => second.stop());
  const north = new DirectusApi(second.url, { token: seeded.fleet.users.north.token });
  const search = async (limit: number): Promise<Answer> =>
    await north.ask('SEARCH', '/items/devices', { query: { fields: ['id'], limit } });
  expect(await search(3)).toMatchObject({ status: 200 });
  expect(await search(4)).toMatchObject({ status: 400, code: 'INVALID_QUERY' });
});

/** Another process that has started a Directus. */
async function startElsewhere(): Promise<{ holder: ChildProcess; pid: number }> {
  const folder = await mkdtemp(join(inject('servers').folder, 'directus-'));
  const program = fileURLToPath(new URL('support/hold-directus.ts', import.meta.url));
  const args = [program, folder, seeded.postgresUrl];
  const holder = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(holder.stdout, 'data')) as [Buffer];
  const { pid } = JSON.parse(line.toString()) as { pid: number };
  onTestFinished(async () => {
    holder.kill('SIGKILL');
    if ((await startOf(pid)) !== undefined) process.kill(pid, 'SIGKILL');
  });
  return { holder, pid };
}

test.runIf(process.platform === 'linux')('even frozen, it ends with the process that started it', async () => {
  const { holder, pid } = await startElsewhere();
  process.kill(pid, 'SIGSTOP');
  holder.kill('SIGKILL');
  await eventually(async () => {
    expect(await startOf(pid)).toBeUndefined();
  });
});
