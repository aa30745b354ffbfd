/**
 * One PostgreSQL and one Redis for a run of the integration tests: in containers where Docker runs, else as local
 * processes in a temporary folder. ODOGRAPH_TEST_SERVERS=docker or =local forces one.
 */
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { dockerRuns, startDockerServers } from './docker-servers.ts';
import { postgresForTests, startTestPostgres, startTestRedis } from './local-servers.ts';
import { makeRunFolder, removeRunFolder } from './run-folder.ts';

interface TestServers {
  readonly redisUrl: string;
  readonly postgresUrl: string;
  readonly kind: 'docker' | 'local';
  readonly timescaledb: boolean;
  /** For the data of servers that suites start for themselves; removed after the run. */
  readonly folder: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    servers: TestServers;
  }
}

type Running = Omit<TestServers, 'folder' | 'kind'> & { readonly name: string; stop(): Promise<void> };

async function startLocal(folder: string): Promise<Running> {
  const binaries = await postgresForTests();
  const postgres = await startTestPostgres(binaries, { dataDir: join(folder, 'postgres') });
  try {
    const redis = await startTestRedis({ dataDir: join(folder, 'redis') });
    const stop = async (): Promise<void> => {
      await Promise.all([redis.stop(), postgres.stop()]);
    };
    const name = `local PostgreSQL ${binaries.major} (${binaries.origin})`;
    return { name, redisUrl: redis.url, postgresUrl: postgres.url, timescaledb: binaries.timescaledb, stop };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function startDocker(): Promise<Running> {
  return { ...(await startDockerServers()), name: 'PostgreSQL 16 in Docker', timescaledb: true };
}

async function chosenKind(): Promise<'docker' | 'local'> {
  const forced = process.env.ODOGRAPH_TEST_SERVERS ?? '';
  if (forced === 'docker' || forced === 'local') return forced;
  if (forced !== '') throw new Error(`ODOGRAPH_TEST_SERVERS: expected docker or local, got ${forced}`);
  return (await dockerRuns()) ? 'docker' : 'local';
}

/** Removes the folder where that fails: there is no teardown then. */
async function start(kind: 'docker' | 'local', folder: string): Promise<Running> {
  try {
    return await (kind === 'docker' ? startDocker() : startLocal(folder));
  } catch (error) {
    await removeRunFolder(folder);
    throw error;
  }
}

let release: () => Promise<void> = () => Promise.resolve();

/** Starts the servers and provides them as `inject('servers')`. */
export async function setup(project: TestProject): Promise<void> {
  const began = Date.now();
  const kind = await chosenKind();
  const folder = await makeRunFolder();
  const { name, stop, ...urls } = await start(kind, folder);
  release = async () => {
    await stop();
    await removeRunFolder(folder);
  };
  project.provide('servers', { ...urls, kind, folder });
  const offered = urls.timescaledb ? 'with TimescaleDB' : 'without TimescaleDB: its tests are skipped';
  process.stdout.write(`test servers: ${name} ${offered}, Redis; up in ${Date.now() - began} ms\n`);
}

/** Stops the servers and removes their data. */
export async function teardown(): Promise<void> {
  await release();
}
