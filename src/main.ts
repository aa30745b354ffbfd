/**
 * Starts Odograph: the roles that ROLES names, in one process. The only file that knows every role, and the only one that
 * hands the environment to the settings.
 *
 * SIGTERM and SIGINT finish what was begun within SHUTDOWN_TIMEOUT_MS and exit with 0; a second one exits at once.
 * Wrong settings are all printed at once, exit 2. What an operator must mend is logged, exit 1.
 */
import { join } from 'node:path';
import type { Pool } from 'pg';
import { SettingsError, loadSettings } from './config/load.ts';
import type { Settings } from './config/settings.ts';
import { createCore } from './core/core.ts';
import { createPool } from './db/pool.ts';
import type { Embedded } from './embedded/servers.ts';
import type { Ingest } from './ingest/ingest.ts';
import { createIngest, listenerProblems } from './ingest/ingest.ts';
import type { Logger } from './observability/logger.ts';
import { createLogger } from './observability/logger.ts';
import { createRegistry } from './observability/metrics/registry.ts';
import type { Probe } from './observability/readiness.ts';
import { cached, readinessOf } from './observability/readiness.ts';
import type { OperationsServer } from './observability/server.ts';
import { startOperationsServer } from './observability/server.ts';
import type { Redis } from './shared/redis.ts';
import { connectRedis } from './shared/redis.ts';
import type { Role } from './shared/role.ts';
import { stopSignal } from './shared/stop-signal.ts';

const POSTGRES_PROBE_TTL_MS = 5_000;

/** Redis and PostgreSQL: those of the settings, or embedded ones. */
interface Servers {
  readonly redisUrl: string;
  readonly postgresUrl: string;
  readonly embedded: Embedded | null;
}

async function findServers(settings: Settings, log: Logger): Promise<Servers> {
  const { REDIS_URL: redisUrl, POSTGRES_URL: postgresUrl, ODOGRAPH_DATA_DIR: dataDir } = settings;
  // A process without the role core has no use for a database.
  const postgres = postgresUrl === undefined && settings.ROLES.includes('core');
  if (redisUrl !== undefined && !postgres) return { redisUrl, postgresUrl: postgresUrl ?? '', embedded: null };
  const { startEmbedded } = await import('./embedded/servers.ts');
  const embedded = await startEmbedded({
    dataDir,
    redis: redisUrl === undefined,
    postgres,
    log: (line) => { log.info(line); },
  });
  return {
    redisUrl: redisUrl ?? embedded.redisUrl ?? '',
    postgresUrl: postgresUrl ?? embedded.postgresUrl ?? '',
    embedded,
  };
}

/** Everything that is to be stopped, in the order of stopping. */
interface System {
  readonly roles: readonly Role[];
  readonly ingest: Ingest | null;
  readonly probes: Readonly<Record<string, Probe>>;
  stop(): Promise<void>;
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

function compose(settings: Settings, servers: Servers, registry: ReturnType<typeof createRegistry>, log: Logger): System {
  const connect = (role: string): Redis =>
    connectRedis(servers.redisUrl, {
      name: `odograph/${role}/${settings.INSTANCE_ID}`,
      commandTimeoutMs: settings.INGEST_APPEND_TIMEOUT_MS,
      onError: (error) => { log.debug({ role, error: error.message }, 'Redis connection error'); },
    });
  const redisOf = new Map(settings.ROLES.map((role) => [role, connect(role)]));
  const pool = settings.ROLES.includes('core')
    ? createPool(settings, servers.postgresUrl, 'core', (error) => { log.debug({ error: error.message }, 'PostgreSQL connection error'); })
    : null;
  const ingestRedis = redisOf.get('ingest');
  const coreRedis = redisOf.get('core');
  const ingest = ingestRedis === undefined ? null : createIngest({ settings, redis: ingestRedis, registry, log: log.child({ role: 'ingest' }) });
  const core = coreRedis === undefined || pool === null
    ? null
    : createCore({ settings, redisUrl: servers.redisUrl, redis: coreRedis, pool, registry, log: log.child({ role: 'core' }) });
  const roles = [ingest, core].filter((role) => role !== null);
  const probes: Record<string, Probe> = {};
  for (const role of roles) probes[role.name] = () => { if (!role.isStarted) throw new Error('starting'); };
  for (const [role, redis] of redisOf) probes[`redis (${role})`] = redisProbe(redis);
  if (pool !== null) probes['postgres'] = postgresProbe(pool);
  return {
    roles,
    ingest,
    probes,
    async stop() {
      for (const role of roles) await role.stop();
      for (const redis of redisOf.values()) redis.disconnect();
      await pool?.end();
      await servers.embedded?.stop();
    },
  };
}

async function announce(settings: Settings, servers: Servers, system: System, operations: OperationsServer, log: Logger): Promise<void> {
  const metricsUrl = `http://127.0.0.1:${operations.port}`;
  log.info({ metricsUrl }, 'ready');
  if (servers.embedded === null) return;
  const { writeRuntime } = await import('./embedded/runtime-file.ts');
  const { keptSecret } = await import('./embedded/secret.ts');
  const tokenFile = join(settings.ODOGRAPH_DATA_DIR, 'auth-token');
  const token = settings.AUTH_TOKEN ?? (await keptSecret(tokenFile));
  log.info({ token, tokenFile }, 'token of the administrator');
  const listeners = (system.ingest?.listeners ?? []).map(({ protocol, transport, port }) => ({ protocol, transport, host: '127.0.0.1', port }));
  const { redisUrl, postgresUrl } = servers;
  await writeRuntime(settings.ODOGRAPH_DATA_DIR, { pid: process.pid, redisUrl, postgresUrl, metricsUrl, listeners });
}

async function run(settings: Settings, log: Logger): Promise<number> {
  const stopped = stopSignal();
  const servers = await findServers(settings, log);
  const registry = createRegistry();
  const system = compose(settings, servers, registry, log);
  let operations: OperationsServer | null = null;
  let exitCode = 0;
  try {
    operations = await startOperationsServer({
      host: settings.METRICS_HOST,
      port: settings.METRICS_PORT,
      registry,
      readiness: readinessOf(system.probes),
    });
    const started = Promise.all(system.roles.map((role) => role.start()));
    const running = operations;
    const failed = started.then(async () => {
      await announce(settings, servers, system, running, log);
      throw new Error(await (servers.embedded?.lost ?? Promise.withResolvers<string>().promise));
    });
    log.info({ signal: await Promise.race([stopped, failed]) }, 'stopping');
  } catch (error) {
    log.fatal({ err: error }, 'cannot go on');
    exitCode = 1;
  }
  const overdue = setTimeout(() => {
    log.error('not stopped within SHUTDOWN_TIMEOUT_MS; what is unfinished was not acknowledged');
    process.exit(1);
  }, settings.SHUTDOWN_TIMEOUT_MS);
  if (servers.embedded !== null) await import('./embedded/runtime-file.ts').then(({ removeRuntime }) => removeRuntime(settings.ODOGRAPH_DATA_DIR));
  await system.stop();
  await operations?.stop();
  clearTimeout(overdue);
  log.info('stopped');
  return exitCode;
}

function readSettings(): Settings {
  try {
    const settings = loadSettings(process.env);
    const problems = listenerProblems(settings);
    if (problems.length > 0) throw new SettingsError(problems);
    return settings;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

const settings = readSettings();
const log = createLogger(settings);
process.exitCode = await run(settings, log).catch((error: unknown) => {
  log.fatal({ err: error }, 'cannot start');
  return 1;
});
log.flush(() => process.exit());
