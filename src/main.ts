/**
 * Starts Odograph: the roles that ROLES names, in one process. The only file that hands the environment to the
 * settings.
 *
 * SIGTERM and SIGINT finish what was begun within SHUTDOWN_TIMEOUT_MS and exit with 0; a second one exits at once.
 * Wrong settings are all printed at once, exit 2. What an operator must mend is logged, exit 1.
 */
import { join } from 'node:path';
import type { Parts } from './composition/connections.ts';
import { findServers, stopEmbedded } from './composition/servers.ts';
import type { System } from './composition/system.ts';
import { compose } from './composition/system.ts';
import { SettingsError, loadSettings } from './config/load.ts';
import type { Settings } from './config/settings.ts';
import { listenerProblems } from './ingest/ingest.ts';
import type { Logger } from './observability/logger.ts';
import { createLogger } from './observability/logger.ts';
import { createRegistry } from './observability/metrics/registry.ts';
import { readinessOf } from './observability/readiness.ts';
import type { OperationsServer } from './observability/server.ts';
import { startOperationsServer } from './observability/server.ts';
import { errorMessage } from './shared/errors.ts';
import { keepRecordsYoung } from './shared/heap.ts';
import { giveWay } from './shared/priority.ts';
import { writeRuntime } from './shared/runtime-file.ts';
import { stopSignal } from './shared/stop-signal.ts';

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
  const apiUrl = system.api === null ? null : `http://127.0.0.1:${system.api.port}`;
  await writeRuntime(dataDir, { pid: process.pid, redisUrl, postgresUrl, metricsUrl, liveUrl, apiUrl, listeners });
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

const BUILT_IN_ERRORS = new Set(['Error', 'TypeError', 'RangeError', 'ReferenceError', 'SyntaxError']);

/** An error with a name or a code of its own says what an operator has to mend; any other is a bug, and shows where. */
function logFatal(log: Logger, error: unknown, message: string): void {
  const isOurs = error instanceof Error && ('code' in error || !BUILT_IN_ERRORS.has(error.name));
  log.fatal({ error: errorMessage(error), ...(isOurs ? {} : { err: error }) }, message);
}

/** Others wait for every role but core. */
function giveWayToOthers({ ROLES, PROCESSOR_NICE }: Settings, log: Logger): void {
  if (!ROLES.every((role) => role === 'core')) return;
  const problem = giveWay(PROCESSOR_NICE);
  if (problem !== null) log.warn({ error: errorMessage(problem) }, 'this process cannot give way to others (PROCESSOR_NICE)');
}

/** Runs until asked to stop. @returns the exit code */
async function run(settings: Settings, log: Logger): Promise<number> {
  const stopped = stopSignal();
  const parts: Parts = { settings, log, registry: createRegistry(), servers: await findServers(settings, log) };
  giveWayToOthers(settings, log);
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
  await stopEmbedded(settings, parts.servers);
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
keepRecordsYoung();
const settings = readSettings();
const log = createLogger(settings);
process.exitCode = await run(settings, log).catch((error: unknown) => {
  logFatal(log, error, 'cannot start');
  return 1;
});
log.flush(() => process.exit());
