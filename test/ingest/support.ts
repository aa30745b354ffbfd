/** An ingest of a test's own on free ports, and what it left in Redis. All of it ends with the test. */
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { expect, onTestFinished } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import type { Ingest } from '../../src/ingest/ingest.ts';
import { createIngest } from '../../src/ingest/ingest.ts';
import { Registry } from '../../src/observability/metrics/registry.ts';
import type { DeadLetter } from '../../src/shared/contracts/dead-letter-stream.ts';
import { DEAD_LETTER_STREAM, decodeDeadLetter } from '../../src/shared/contracts/dead-letter-stream.ts';
import type { TelemetryEntry } from '../../src/shared/contracts/telemetry-stream.ts';
import { decodeEntry, telemetryStreams } from '../../src/shared/contracts/telemetry-stream.ts';
import { decodeRecord } from '../../src/shared/contracts/stored-record.ts';
import type { TelemetryRecord } from '../../src/shared/model.ts';
import { connectRedis } from '../../src/shared/redis.ts';
import { eventually } from '../support/eventually.ts';
import type { PrivateServer } from '../support/private-server.ts';
import { startPrivateRedis } from '../support/redis.ts';

export type Labels = Readonly<Record<string, string>>;

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly reason?: string;
  readonly leftOut?: number;
}

export interface TestIngest extends Ingest {
  /** Every line at level debug and above. */
  readonly log: readonly LogLine[];
  /** The port of a listener, by default the first. */
  port(transport?: 'tcp' | 'tls' | 'udp', protocol?: string): number;
  /** The sum of a metric over all series that have these labels; 0 where there is none. */
  metric(name: string, labels?: Labels): Promise<number>;
  /** Lines at warn or above, of one reason if it is given. */
  warnings(reason?: string): LogLine[];
  /** Its connection to Redis. */
  readonly redis: Redis;
}

const DEFAULTS = {
  INGEST_LISTENERS: 'teltonika:0',
  INGEST_HOST: '127.0.0.1',
  INGEST_APPEND_TIMEOUT_MS: '500',
  SHUTDOWN_TIMEOUT_MS: '2000',
  // Records of tests have times of their own, which grow old.
  MAX_PAST_MS: '3153600000000',
};

/** An ingest that has not been started. */
export function prepareIngest(redisUrl: string, settings: Labels = {}): TestIngest {
  const loaded = loadSettings({ ...DEFAULTS, REDIS_URL: redisUrl, ...settings });
  const registry = new Registry();
  const log: LogLine[] = [];
  const levels = { formatters: { level: (label: string) => ({ level: label }) }, level: 'debug' };
  const logger = pino(levels, { write: (line) => { log.push(JSON.parse(line) as LogLine); } });
  const onError = (error: Error): void => { logger.trace(error); };
  const redis = connectRedis(redisUrl, { name: 'test', commandTimeoutMs: loaded.INGEST_APPEND_TIMEOUT_MS, onError });
  const ingest = createIngest({ settings: loaded, redis, registry, log: logger });
  onTestFinished(async () => {
    await ingest.stop();
    redis.disconnect();
  });
  const isWarning = ({ level }: LogLine): boolean => level === 'warn' || level === 'error';
  return Object.assign(Object.create(ingest) as Ingest, {
    log,
    port: (transport = 'tcp', protocol = 'teltonika') =>
      ingest.listeners.find((one) => one.transport === transport && one.protocol === protocol)!.port,
    metric: (name: string, labels: Labels = {}) => sumOf(registry, name, labels),
    redis,
    warnings: (reason?: string) => log.filter((line) => isWarning(line) && (reason ?? line.reason) === line.reason),
  } satisfies Omit<TestIngest, keyof Ingest>);
}

export async function startIngest(redisUrl: string, settings: Labels = {}): Promise<TestIngest> {
  const ingest = prepareIngest(redisUrl, settings);
  await ingest.start();
  return ingest;
}

/** One value of a metric; those of a histogram say of which of its parts. */
interface Series {
  readonly labels: Partial<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

async function sumOf(registry: Registry, name: string, labels: Labels): Promise<number> {
  const metric = await registry.getSingleMetric(name.replace(/_(count|sum)$/, ''))?.get();
  if (metric === undefined) throw new Error(`no metric ${name}`);
  const isAsked = (given: Series['labels']): boolean =>
    Object.entries(labels).every(([label, value]) => given[label] === value);
  return (metric.values as Series[])
    .filter((one) => isAsked(one.labels) && (one.metricName ?? name) === name)
    .reduce((sum, { value }) => sum + value, 0);
}

/** A connection of the test's own to look at Redis with. */
export function lookInto(redisUrl: string): Redis {
  const redis = new Redis(redisUrl, { protocol: 2 });
  redis.on('error', () => undefined);
  onTestFinished(() => { redis.disconnect(); });
  return redis;
}

/** All telemetry entries, by partition. */
export async function entriesIn(redis: Redis): Promise<TelemetryEntry[]> {
  const perStream = await Promise.all(telemetryStreams(4).map((stream) => redis.xrangeBuffer(stream, '-', '+')));
  return perStream.flat().map(([, fields]) => decodeEntry(fields));
}

/** The records of one device, in the order of the stream. */
export async function recordsOf(redis: Redis, deviceId: string): Promise<TelemetryRecord[]> {
  const entries = await entriesIn(redis);
  return entries
    .filter((entry) => entry.deviceId === deviceId)
    .flatMap(({ records }) => records.map((result) => {
      if (!result.ok) expect.fail(result.error.message);
      return decodeRecord(result.record);
    }));
}

export async function deadLettersIn(redis: Redis): Promise<DeadLetter[]> {
  const letters = await redis.xrangeBuffer(DEAD_LETTER_STREAM, '-', '+');
  return letters.map(([, fields]) => decodeDeadLetter(fields));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Ends it with the test. */
export function endWithTest(server: PrivateServer): PrivateServer {
  onTestFinished(() => endServer(server));
  return server;
}

/** A Redis of the test's own, which ends with it. */
export async function redisWith(settings: Labels): Promise<PrivateServer> {
  return endWithTest(await startPrivateRedis(settings));
}

/** Such a Redis, and a replica that has all it has. */
export async function redisPair(): Promise<{ primary: PrivateServer; replica: PrivateServer }> {
  const primary = await redisWith({ 'repl-diskless-sync-delay': '0' });
  const { password, port } = new URL(primary.url);
  const replica = await redisWith({ replicaof: `127.0.0.1 ${port}`, masterauth: password });
  const redis = lookInto(replica.url);
  await eventually(async () => (await redis.info('replication')).includes('master_link_status:up'));
  return { primary, replica };
}

/** Ends a server that may be frozen, or have ended. */
export async function endServer(server: PrivateServer): Promise<void> {
  if (isRunning(server.pid)) await server.thaw();
  await server.stop();
}
