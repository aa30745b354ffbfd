/** PostgreSQL with TimescaleDB and Redis in containers, where Docker runs. Testcontainers removes them with the run. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

const REDIS_IMAGE = 'redis:7-alpine';
const POSTGRES_IMAGE = 'timescale/timescaledb:2.22.1-pg16';
const PASSWORD = 'odograph';
const WORKERS = ['-c', 'max_worker_processes=64', '-c', 'timescaledb.max_background_workers=48'];

/** Whether a Docker daemon answers within two seconds. */
export async function dockerRuns(): Promise<boolean> {
  try {
    const { stdout } = await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 2_000 });
    return stdout.trim() !== '';
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

export interface DockerServers {
  readonly redisUrl: string;
  readonly postgresUrl: string;
  stop(): Promise<void>;
}

/** Both containers, started at once; when one fails, the other is stopped. */
export async function startDockerServers(): Promise<DockerServers> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const redis = new GenericContainer(REDIS_IMAGE)
    .withCommand(['redis-server', '--databases', '1024', '--save', '', '--maxmemory-policy', 'noeviction'])
    .withExposedPorts(6379)
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/));
  const postgres = new GenericContainer(POSTGRES_IMAGE)
    .withEnvironment({ POSTGRES_USER: 'odograph', POSTGRES_PASSWORD: PASSWORD, TIMESCALEDB_TELEMETRY: 'off' })
    .withCommand(['postgres', '-c', 'fsync=off', '-c', 'max_connections=200', ...WORKERS])
    .withExposedPorts(5432)
    // The image starts PostgreSQL once to initialise it, and then for good.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2));
  const outcomes = await Promise.allSettled([redis.start(), postgres.start()]);
  const [redisOutcome, postgresOutcome] = outcomes;
  const stop = async (): Promise<void> => {
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value.stop();
  };
  if (redisOutcome.status === 'rejected' || postgresOutcome.status === 'rejected') {
    await stop();
    throw redisOutcome.status === 'rejected' ? redisOutcome.reason : (postgresOutcome as PromiseRejectedResult).reason;
  }
  const at = ({ value }: typeof redisOutcome, port: number): string => `${value.getHost()}:${value.getMappedPort(port)}`;
  return {
    redisUrl: `redis://${at(redisOutcome, 6379)}`,
    postgresUrl: `postgres://odograph:${PASSWORD}@${at(postgresOutcome, 5432)}/odograph`,
    stop,
  };
}
