/**
 * Directus as a child process, on a database that holds Odograph's tables: its own tables lie beside them in the schema
 * `directus`, and Odograph's in `public` are its collections. It ends with the process that started it, even when that
 * one is killed, and even frozen. A start that fails leaves nothing running and says what Directus logged.
 */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import type { DirectusInstallation } from '../../../scripts/directus/installation.ts';
import { ensureDirectus } from '../../../scripts/directus/installation.ts';
import type { Child, Exit } from '../../../src/embedded/child.ts';
import { endProcess, startChild } from '../../../src/embedded/child.ts';
import { startOnPort } from '../../../src/embedded/port.ts';
import type { Server } from '../../../src/embedded/server.ts';
import { ServerStartError } from '../../../src/embedded/server.ts';
import { launch } from '../../../src/embedded/unprivileged.ts';
import { eventually } from '../../support/eventually.ts';
import type { PrivateServer } from '../../support/private-server.ts';
import { privateServer } from '../../support/private-server.ts';

const TIMEOUT_MS = 60_000;
const PING_TIMEOUT_MS = 1_000;
const STOP_TIMEOUT_MS = 10_000;

/** The schema of Directus's own tables. */
const SCHEMA = 'directus';

/** The first user of every Directus that tests start. */
export const ADMIN = { email: 'admin@example.com', password: 'admin-password', token: 'static-admin-0123456789abcdef' };

export interface DirectusOptions {
  /** A database with Odograph's tables, or one that gets them later: see `DirectusAdmin.clearSystemCache`. */
  readonly postgresUrl: string;
  /** Settings of Directus, above those that tests run with. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What the environment of this process says must not configure Directus, which reads every variable there is. */
function passedOn(): Record<string, string> {
  const { PATH = '', HOME = '/', TMPDIR = '/tmp' } = process.env;
  return { PATH, HOME, TMPDIR, NODE_ENV: 'production', TZ: 'UTC' };
}

function settingsFor(options: DirectusOptions): Record<string, string> {
  return {
    HOST: '127.0.0.1',
    DB_CLIENT: 'pg',
    DB_CONNECTION_STRING: options.postgresUrl,
    // Tables are made in the first schema and found in both.
    DB_SEARCH_PATH: `array:${SCHEMA},public`,
    SECRET: randomBytes(24).toString('hex'),
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
    ADMIN_TOKEN: ADMIN.token,
    // A login takes at least this long, right or wrong: 500 ms unless told otherwise.
    LOGIN_STALL_TIME: '0',
    // The least that argon2 takes: a password costs 100 ms otherwise.
    HASH_MEMORY_COST: '1024',
    HASH_TIME_COST: '2',
    LOG_LEVEL: 'warn',
    LOG_STYLE: 'raw',
    TELEMETRY: 'false',
    WEBSOCKETS_ENABLED: 'true',
    ...options.env,
  };
}

async function createSchema(postgresUrl: string): Promise<void> {
  const client = new Client({ connectionString: postgresUrl });
  await client.connect();
  try {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`);
  } finally {
    await client.end();
  }
}

/** `where` it listens goes below the settings of the suite. */
type Run = (command: 'bootstrap' | 'start', where?: Readonly<Record<string, string>>) => Promise<Child>;

/** Directus holds nothing that needs an orderly end: SIGKILL ends a frozen one as well. */
function runner({ node, cli }: DirectusInstallation, folder: string, settings: Record<string, string>): Run {
  return async (command, where = {}) => {
    // The folder in the command line says whose process this is.
    const args = [`--diagnostic-dir=${folder}`, cli, command];
    const how = await launch(node, args, { deathSignal: 'KILL', folder });
    const env = { ...passedOn(), ...where, ...settings };
    return await startChild(how, { cwd: folder, logFile: join(folder, 'directus.log'), env });
  };
}

/** Waits for what `look` finds, or for the end of the process where that comes first; a time-out ends it. */
async function until<T>(child: Child, doing: string, look: () => Promise<T | undefined>): Promise<T | Exit> {
  const outcome = async (): Promise<T | Exit> => {
    const found = child.end() ?? (await look());
    if (found === undefined) throw new Error('not yet');
    return found;
  };
  try {
    return await eventually(outcome, { timeoutMs: TIMEOUT_MS });
  } catch (error) {
    await endProcess(child.pid, 'SIGKILL', STOP_TIMEOUT_MS);
    const message = `Directus is still ${doing} after ${TIMEOUT_MS} ms: ${String(error)}\n${await child.logTail()}`;
    throw new ServerStartError(message, { cause: error });
  }
}

async function bootstrap(run: Run): Promise<void> {
  const child = await run('bootstrap');
  const end = await until<Exit>(child, 'making its tables', () => Promise.resolve(undefined));
  if (end.code !== 0) throw new Error(`the bootstrap of Directus ${end.text}:\n${await child.logTail()}`);
}

async function untilReady(child: Child, url: string): Promise<void> {
  const answer = await until(child, 'starting', async () => {
    const response = await fetch(`${url}/server/ping`, { signal: AbortSignal.timeout(PING_TIMEOUT_MS) });
    return (await response.text()) === 'pong' ? 'pong' : undefined;
  });
  if (answer === 'pong') return;
  throw new ServerStartError(`Directus ${answer.text} while starting:\n${await child.logTail()}`);
}

async function startOn(port: number, folder: string, run: Run): Promise<Server> {
  const url = `http://127.0.0.1:${port}`;
  const child = await run('start', { PORT: String(port), PUBLIC_URL: url });
  // For whoever removes the folder of a run that was killed where the system did not end its children.
  await writeFile(join(folder, 'directus.pid'), `${child.pid}\n`);
  await untilReady(child, url);
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= endProcess(child.pid, 'SIGTERM', STOP_TIMEOUT_MS));
  const ended = child.ended.then(({ text }) => text);
  return { url, pid: child.pid, port, ended, stop };
}

/**
 * Makes Directus's tables and its first user `ADMIN`, and starts it on a free port; its log is in `folder`. Installs it
 * where it is missing. `again` starts it with the same settings, database and port: tokens and sessions stay valid.
 */
export async function startDirectusIn(folder: string, options: DirectusOptions): Promise<PrivateServer> {
  const run = runner(await ensureDirectus(), folder, settingsFor(options));
  await createSchema(options.postgresUrl);
  await bootstrap(run);
  const start = (port?: number): Promise<Server> =>
    startOnPort('Directus', port, (free) => startOn(free, folder, run));
  return await privateServer(start, folder);
}
