/**
 * Starts Odograph: the roles that ROLES names, in one process. The only file that knows every role, and the only one
 * that hands the environment to the settings.
 *
 * SIGTERM and SIGINT finish what was begun within SHUTDOWN_TIMEOUT_MS and exit with 0; a second one exits at once.
 * Wrong settings are all printed at once, exit 2. What an operator must mend is logged, exit 1.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Registry } from 'prom-client';
import { directusProvider } from './auth/directus/provider.ts';
import { SettingsError, loadSettings } from './config/load.ts';
import type { Settings } from './config/settings.ts';
import { localProvider } from './auth/local.ts';
import type { AuthProvider } from './auth/provider.ts';
import { createCore } from './core/core.ts';
import type { PoolSettings } from './db/pool.ts';
import { createPool } from './db/pool.ts';
import type { Embedded } from './embedded/servers.ts';
import type { Ingest } from './ingest/ingest.ts';
import { createIngest, listenerProblems } from './ingest/ingest.ts';
import type { LiveEvents } from './live/events.ts';
import type { Live } from './live/live.ts';
import { createLive } from './live/live.ts';
import type { Logger } from './observability/logger.ts';
import { createLogger } from './observability/logger.ts';
import { createRegistry } from './observability/metrics/registry.ts';
import type { Probe } from './observability/readiness.ts';
import { cached, readinessOf } from './observability/readiness.ts';
import type { OperationsServer } from './observability/server.ts';
import { startOperationsServer } from './observability/server.ts';
import type { WatchedRedis } from './observability/watched-redis.ts';
import { connectWatchedRedis } from './observability/watched-redis.ts';
import { errorMessage } from './shared/errors.ts';
import type { Redis } from './shared/redis.ts';
import { removeRuntime, writeRuntime } from './shared/runtime-file.ts';
import type { Role } from './shared/role.ts';
import { stopSignal } from './shared/stop-signal.ts';

const POSTGRES_PROBE_TTL_MS = 5_000;
const POOL_END_TIMEOUT_MS = 1_000;
/** Snapshots are asked for one at a time, and one connection listens. */
const LIVE_POOL_SIZE = 4;

/** Redis and PostgreSQL: those of the settings, or embedded ones. */
interface Servers {
  readonly redisUrl: string;
  readonly postgresUrl: string;
  readonly embedded: Embedded | null;
  /** Of the administrator; null: there is none. */
  readonly token: string | null;
}

/** The composed system, before it is started. */
interface System {
  readonly roles: readonly Role[];
  readonly ingest: Ingest | null;
  readonly live: Live | null;
  readonly probes: Readonly<Record<string, Probe>>;
  stop(): Promise<void>;
}

async function findServers(settings: Settings, log: Logger): Promise<Servers> {
  const { REDIS_URL, POSTGRES_URL, AUTH_TOKEN, ODOGRAPH_DATA_DIR: dataDir } = settings;
  const usesDatabase = settings.ROLES.some((role) => role !== 'ingest');
  const needs = { redis: REDIS_URL === undefined, postgres: POSTGRES_URL === undefined && usesDatabase };
  if (!needs.redis && !needs.postgres) {
    return { redisUrl: REDIS_URL ?? '', postgresUrl: POSTGRES_URL ?? '', embedded: null, token: AUTH_TOKEN ?? null };
  }
  const { startEmbedded } = await import('./embedded/servers.ts');
  if (usesDatabase && needs.redis !== needs.postgres) {
    const missing = needs.redis ? 'REDIS_URL' : 'POSTGRES_URL';
    log.warn(`${missing} is not set: an embedded server that this process starts takes the place of the missing one`);
  }
  log.info({ dataDir, ...needs }, 'without REDIS_URL or POSTGRES_URL: starting embedded servers');
  const embedded = await startEmbedded({ dataDir, ...needs, log: (line) => { log.info(line); } });
  // One that a killed process left behind may bear a process id that is in use again.
  await removeRuntime(dataDir);
  return {
    redisUrl: REDIS_URL ?? embedded.redisUrl ?? '',
    postgresUrl: POSTGRES_URL ?? embedded.postgresUrl ?? '',
    embedded,
    token: AUTH_TOKEN ?? (await ownToken(dataDir, log)),
  };
}

/** Where nobody has set a token there is one all the same, the same after a restart. */
async function ownToken(dataDir: string, log: Logger): Promise<string> {
  const { keptSecret } = await import('./embedded/secret.ts');
  const tokenFile = join(dataDir, 'auth-token');
  const token = await keptSecret(tokenFile);
  log.info({ token, tokenFile }, 'token of the administrator');
  return token;
}

/** What roles are made of. */
interface Parts {
  readonly settings: Settings;
  readonly servers: Servers;
  readonly registry: Registry;
  readonly log: Logger;
}

function connect({ settings, servers, log }: Parts, role: string): WatchedRedis {
  return connectWatchedRedis({
    name: `odograph/${role}/${settings.INSTANCE_ID}`,
    commandTimeoutMs: settings.INGEST_APPEND_TIMEOUT_MS,
    url: servers.redisUrl, role, log,
  });
}

function createDatabasePool({ settings, servers, log }: Parts, role: string, limits: Partial<PoolSettings> = {}): Pool {
  return createPool({ ...settings, ...limits }, servers.postgresUrl, role, (error) => {
    log.debug({ role, error: error.message }, 'PostgreSQL connection error');
  });
}

/** Who says who may see what. */
function authority({ settings, servers, log }: Parts, events: LiveEvents): AuthProvider {
  const { AUTH_PROVIDER: name, DIRECTUS_BASE_URL: baseUrl } = settings;
  if (name === 'directus' && baseUrl !== undefined) {
    return directusProvider({ settings, baseUrl, onRequest: events.directusAsked, onWatch: events.directusWatch });
  }
  if (servers.token === null) log.warn('AUTH_TOKEN is not set: nobody can sign in to the live server');
  return localProvider(servers.token);
}

/** Waits for queries under way, but not for those of a server that is frozen: the end of the process ends them. */
async function endPool(pool: Pool): Promise<void> {
  await Promise.race([pool.end(), delay(POOL_END_TIMEOUT_MS)]);
}

function redisProbe(redis: Redis): Probe {
  return async () => {
    if (redis.status !== 'ready') throw new Error(`Redis is ${redis.status}`);
    await redis.ping();
  };
}

function postgresProbe(pool: Pool): Probe {
  return cached(async () => { await pool.query('select 1'); }, POSTGRES_PROBE_TTL_MS);
}

function roleProbe(role: Role): Probe {
  return () => {
    const impediment = role.isStarted ? role.impediment : 'starting';
    if (impediment !== null) throw new Error(impediment);
  };
}

/** Roles in the order in which they are stopped: ingest first, core last, so that it stores what ingest has taken. */
function compose(parts: Parts): System {
  const { settings, servers, registry, log } = parts;
  const roles: Role[] = [];
  const probes: Record<string, Probe> = {};
  const releases: (() => unknown)[] = [];
  let ingest: Ingest | null = null;
  let live: Live | null = null;
  const redisFor = (role: string): Redis => {
    const { redis, release } = connect(parts, role);
    probes[`redis (${role})`] = redisProbe(redis);
    releases.push(release);
    return redis;
  };
  if (settings.ROLES.includes('ingest')) {
    ingest = createIngest({ settings, redis: redisFor('ingest'), registry, log: log.child({ role: 'ingest' }) });
    roles.push(ingest);
  }
  if (settings.ROLES.includes('live')) {
    // Live goes on without the database: that is not among its probes.
    const pool = createDatabasePool(parts, 'live', {
      POSTGRES_POOL_SIZE: LIVE_POOL_SIZE,
      POSTGRES_STATEMENT_TIMEOUT_MS: settings.LIVE_SNAPSHOT_TIMEOUT_MS,
    });
    const provider = (events: LiveEvents): AuthProvider => authority(parts, events);
    const { redisUrl } = servers;
    const redis = redisFor('live');
    live = createLive({ settings, redisUrl, redis, pool, provider, registry, log: log.child({ role: 'live' }) });
    roles.push(live);
    releases.push(() => endPool(pool));
  }
  if (settings.ROLES.includes('core')) {
    const pool = createDatabasePool(parts, 'core');
    const redis = redisFor('core');
    const { redisUrl } = servers;
    probes['postgres'] = postgresProbe(pool);
    roles.push(createCore({ settings, redisUrl, redis, pool, registry, log: log.child({ role: 'core' }) }));
    releases.push(() => endPool(pool));
  }
  for (const role of roles) probes[role.name] = roleProbe(role);
  const stop = async (): Promise<void> => {
    for (const role of roles) await role.stop();
    for (const release of releases) await release();
  };
  return { roles, ingest, live, probes, stop };
}

/** Says where the system can be reached; an embedded one also leaves it in its data folder. */
async function announce({ settings, servers, log }: Parts, system: System, port: number): Promise<void> {
  const metricsUrl = `http://127.0.0.1:${port}`;
  if (servers.embedded === null) {
    log.info({ metricsUrl }, 'ready');
    return;
  }
  const { ODOGRAPH_DATA_DIR: dataDir } = settings;
  const listeners = (system.ingest?.listeners ?? []).map((listener) => ({ ...listener, host: '127.0.0.1' }));
  const { redisUrl, postgresUrl } = servers;
  const liveUrl = system.live === null ? null : `ws://127.0.0.1:${system.live.port}/live`;
  await writeRuntime(dataDir, { pid: process.pid, redisUrl, postgresUrl, metricsUrl, liveUrl, listeners });
  log.info({ metricsUrl, addresses: join(dataDir, 'runtime.json') }, 'ready');
}

/** Starts every role at once: ingest takes trackers in while core still waits for its database. */
async function serve(parts: Parts, system: System, port: number, stopped: Promise<string>): Promise<void> {
  const started = Promise.all(system.roles.map((role) => role.start()));
  const lost = started.then(async () => {
    // A role that is stopped while it starts has started nothing.
    if (!system.roles.every((role) => role.isStarted)) return stopped;
    await announce(parts, system, port);
    if (parts.servers.embedded === null) return stopped;
    throw new Error(await parts.servers.embedded.lost);
  });
  parts.log.info({ signal: await Promise.race([stopped, lost]) }, 'stopping');
}

/** What must end in time does, or the process ends without it: nothing that is acknowledged depends on it. */
function startOverdueTimer({ settings, log }: Parts): NodeJS.Timeout {
  return setTimeout(() => {
    log.error('not stopped within SHUTDOWN_TIMEOUT_MS; what is unfinished was not acknowledged');
    process.exit(1);
  }, settings.SHUTDOWN_TIMEOUT_MS);
}

async function stopEmbedded({ settings, servers }: Parts): Promise<void> {
  if (servers.embedded === null) return;
  await removeRuntime(settings.ODOGRAPH_DATA_DIR);
  await servers.embedded.stop();
}

const BUILT_IN_ERRORS = new Set(['Error', 'TypeError', 'RangeError', 'ReferenceError', 'SyntaxError']);

/** An error with a name or a code of its own says what an operator has to mend; any other is a bug, and shows where. */
function logFatal(log: Logger, error: unknown, message: string): void {
  const isOurs = error instanceof Error && ('code' in error || !BUILT_IN_ERRORS.has(error.name));
  log.fatal({ error: errorMessage(error), ...(isOurs ? {} : { err: error }) }, message);
}

/** Runs until asked to stop. @returns the exit code */
async function run(settings: Settings, log: Logger): Promise<number> {
  const stopped = stopSignal();
  const parts: Parts = { settings, log, registry: createRegistry(), servers: await findServers(settings, log) };
  const system = compose(parts);
  const { METRICS_HOST: host, METRICS_PORT: port } = settings;
  const readiness = readinessOf(system.probes);
  let operations: OperationsServer | null = null;
  let exitCode = 0;
  try {
    operations = await startOperationsServer({ host, port, registry: parts.registry, readiness });
    await serve(parts, system, operations.port, stopped);
  } catch (error) {
    logFatal(log, error, 'cannot go on');
    exitCode = 1;
  }
  const overdue = startOverdueTimer(parts);
  await system.stop();
  await operations?.stop();
  await stopEmbedded(parts);
  clearTimeout(overdue);
  log.info('stopped');
  return exitCode;
}

function readSettings(): Settings {
  try {
    return loadSettings(process.env, listenerProblems);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

/** There are no arguments, and whoever gives one means something by it. */
function refuseArguments(given: readonly string[]): void {
  if (given.length === 0) return;
  const isHelp = given[0] === '--help' || given[0] === '-h';
  process.stderr.write(`${isHelp ? '' : `no such argument: ${given.join(' ')}\n`}settings are environment variables: see docs/config.md\n`);
  process.exit(isHelp ? 0 : 2);
}

refuseArguments(process.argv.slice(2));
const settings = readSettings();
const log = createLogger(settings);
process.exitCode = await run(settings, log).catch((error: unknown) => {
  logFatal(log, error, 'cannot start');
  return 1;
});
log.flush(() => process.exit());
