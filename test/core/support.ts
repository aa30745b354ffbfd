/**
 * Processors on a database and a Redis of a test's own: what tests put into the stream, and what they look at. All of
 * it is gone when the test has finished.
 */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { expect, inject, onTestFinished } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import type { Settings } from '../../src/config/settings.ts';
import { createCore } from '../../src/core/core.ts';
import { createPool } from '../../src/db/pool.ts';
import type { Logger } from '../../src/observability/logger.ts';
import type { DeadLetter } from '../../src/shared/contracts/dead-letter-stream.ts';
import { DEAD_LETTER_STREAM, decodeDeadLetter } from '../../src/shared/contracts/dead-letter-stream.ts';
import { encodeRecord } from '../../src/shared/contracts/stored-record.ts';
import { groupsOf } from '../../src/shared/contracts/stream-info.ts';
import { encodeEntry, partitionOf, telemetryStream } from '../../src/shared/contracts/telemetry-stream.ts';
import type { TelemetryFrame, TelemetryRecord } from '../../src/shared/model.ts';
import type { Redis } from '../../src/shared/redis.ts';
import { connectRedis, waitForRedis } from '../../src/shared/redis.ts';
import type { Role } from '../../src/shared/role.ts';
import { createDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { createRedis } from '../support/redis.ts';

/** Native partitions always, a hypertable where the server of this run has TimescaleDB. */
export const STORAGES = inject('servers').timescaledb ? ['partitions', 'timescaledb'] : ['partitions'];

/** As in production, but impatient. */
const FAST = {
  LOG_LEVEL: 'debug',
  INSTANCE_ID: 'one',
  SHUTDOWN_TIMEOUT_MS: '10000',
  STREAM_PARTITIONS: '2',
  STREAM_TRIM_INTERVAL_MS: '100',
  STREAM_RETENTION_MS: '3600000',
  DEVICE_LIST_REFRESH_MS: '100',
  PROCESSOR_BLOCK_MS: '50',
  PROCESSOR_CLAIM_INTERVAL_MS: '100',
  PROCESSOR_CLAIM_IDLE_MS: '60000',
  POSITIONS_PARTITION_DAYS_AHEAD: '1',
  POSITIONS_PARTITION_DAYS_BEHIND: '1',
  POSITIONS_STORAGE: 'partitions',
  POSITIONS_RETENTION_DAYS: '0',
  ROLLUP_INTERVAL_MS: '200',
};

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export function recordingLogger(): { readonly log: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write = (line: string): void => { lines.push(JSON.parse(line) as LogLine); };
  return { log: pino({ level: 'debug' }, { write }), lines };
}

/** Where processors of one test meet. */
export interface Site {
  readonly redisUrl: string;
  readonly postgresUrl: string;
  readonly redis: Redis;
  readonly pool: Pool;
}

export type Overrides = Readonly<Record<string, string>>;

export function settingsOf(site: Pick<Site, 'redisUrl' | 'postgresUrl'>, overrides: Overrides = {}): Settings {
  return loadSettings({ ...FAST, REDIS_URL: site.redisUrl, POSTGRES_URL: site.postgresUrl, ...overrides });
}

export async function openRedis(url: string): Promise<Redis> {
  const redis = connectRedis(url, { name: 'test', commandTimeoutMs: 10_000, onError: () => undefined });
  onTestFinished(() => { redis.disconnect(); });
  await waitForRedis(redis, AbortSignal.timeout(10_000));
  return redis;
}

export async function freshDatabase(): Promise<string> {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  return database.url;
}

/** A fresh database on a PostgreSQL of a test's own. */
export async function freshDatabaseOn(serverUrl: string): Promise<string> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await client.query(`create database ${name}`);
  await client.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** An empty stream and an empty database; `urls` names servers that are a test's own. */
export async function openSite(urls: Partial<Pick<Site, 'redisUrl' | 'postgresUrl'>> = {}): Promise<Site> {
  const redisUrl = urls.redisUrl ?? (await createRedis()).url;
  const postgresUrl = urls.postgresUrl ?? (await freshDatabase());
  const redis = await openRedis(redisUrl);
  const pool = createPool(settingsOf({ redisUrl, postgresUrl }), postgresUrl, 'test', () => undefined);
  onTestFinished(() => pool.end());
  return { redisUrl, postgresUrl, redis, pool };
}

export interface RunningCore {
  readonly core: Role;
  readonly registry: Registry;
  readonly lines: readonly LogLine[];
  readonly settings: Settings;
  /** The connections of the processor itself. */
  readonly pool: Pool;
  readonly redis: Redis;
  /** Stops it and ends its connections. */
  stop(): Promise<void>;
}

/** A processor that is not started yet. */
export async function prepareCore(site: Site, overrides: Overrides = {}): Promise<RunningCore> {
  const settings = settingsOf(site, overrides);
  const { log, lines } = recordingLogger();
  const registry = new Registry();
  const redis = await openRedis(site.redisUrl);
  const pool = createPool(settings, site.postgresUrl, 'core', () => undefined);
  const core = createCore({ settings, redisUrl: site.redisUrl, redis, pool, registry, log });
  let stopping: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await core.stop();
    await pool.end();
  };
  const stop = (): Promise<void> => (stopping ??= end());
  onTestFinished(stop);
  return { core, registry, lines, settings, pool, redis, stop };
}

/** A processor that does its work. */
export async function startCore(site: Site, overrides: Overrides = {}): Promise<RunningCore> {
  const running = await prepareCore(site, overrides);
  await running.core.start();
  return running;
}

export function record(ts: number, fields: Partial<TelemetryRecord> = {}): TelemetryRecord {
  return {
    ts, latitude: 52.5, longitude: 13.4, altitude: 34, course: 90, speed: 50, satellites: 9, hdop: 0.9, valid: true,
    priority: 0, eventId: 0, attributes: new Map(), ...fields,
  };
}

export function records(count: number, from: number, fields: Partial<TelemetryRecord> = {}): TelemetryRecord[] {
  return Array.from({ length: count }, (_, index) => record(from + index * 1_000, fields));
}

/** A record on the stream whose attributes are this text, of whatever kind. */
export function withAttributes(one: TelemetryRecord, text: string): string {
  const encoded = encodeRecord({ ...one, attributes: new Map() });
  return encoded.replace(/2,\{\}\]$/, () => `${Buffer.byteLength(text)},${text}]`);
}

export function frame(deviceId: string, content: readonly TelemetryRecord[], receivedAt = Date.now()): TelemetryFrame {
  return { deviceId, protocol: 'teltonika', receivedAt, records: content };
}

/** The streams of `FAST`. */
export const STREAMS = [telemetryStream(0), telemetryStream(1)] as const;

export function streamOf(deviceId: string): string {
  return telemetryStream(partitionOf(deviceId, STREAMS.length));
}

/** Appends frames as ingest does. @returns the ids of the entries */
export async function append(redis: Redis, ...frames: readonly TelemetryFrame[]): Promise<string[]> {
  const pipeline = redis.pipeline();
  for (const one of frames) pipeline.call('XADD', streamOf(one.deviceId), '*', ...encodeEntry(one));
  const results = (await pipeline.exec()) ?? [];
  return results.map(([error, id]) => {
    if (error !== null) throw error;
    return String(id);
  });
}

/** The sum over all series of a metric that have these labels. */
export async function metric(registry: Registry, name: string, labels: Overrides = {}): Promise<number> {
  const found = registry.getSingleMetric(name);
  if (found === undefined) throw new Error(`no metric ${name}`);
  const { values } = await found.get();
  const matching = values.filter((value) =>
    Object.entries(labels).every(([label, wanted]) => (value.labels as Record<string, unknown>)[label] === wanted));
  return matching.reduce((sum, { value }) => sum + value, 0);
}

/** The first value of the first row. */
export async function value(pool: Pool, sql: string, values: unknown[] = []): Promise<unknown> {
  const result = await pool.query<unknown[]>({ text: sql, values, rowMode: 'array' });
  return result.rows[0]?.[0];
}

export async function countPositions(pool: Pool): Promise<number> {
  return Number(await value(pool, 'select count(*) from positions'));
}

/** Entries delivered to the group and not acknowledged, over both streams. */
export async function countPending(redis: Redis): Promise<number> {
  const groups = await Promise.all(STREAMS.map((stream) => groupsOf(redis, stream)));
  return groups.flat().reduce((sum, { pending }) => sum + pending, 0);
}

/** Every entry of the stream was delivered to the group, which exists, and acknowledged. */
async function expectSettled(redis: Redis, stream: string): Promise<void> {
  const [last] = await redis.xrevrange(stream, '+', '-', 'COUNT', 1);
  const [group] = await groupsOf(redis, stream);
  expect(group).toMatchObject({ pending: 0, ...(last && { lastDeliveredId: last[0] }) });
}

/** Waits until there are this many positions and every entry is delivered and acknowledged. */
export async function allStored(site: Pick<Site, 'redis' | 'pool'>, count: number): Promise<void> {
  await eventually(async () => {
    expect(await countPositions(site.pool)).toBe(count);
    for (const stream of STREAMS) await expectSettled(site.redis, stream);
  });
}

export async function deadLetters(redis: Redis): Promise<DeadLetter[]> {
  const entries = await redis.xrangeBuffer(DEAD_LETTER_STREAM, '-', '+');
  return entries.map(([, fields]) => decodeDeadLetter(fields));
}

/** Statements of the processor that wait for a lock, with the process of each. */
export async function waitingForLock(pool: Pool): Promise<number[]> {
  const { rows } = await pool.query<{ pid: number }>(
    `select pid from pg_stat_activity
     where datname = current_database() and application_name like 'odograph/core/%' and wait_event_type = 'Lock'`);
  return rows.map(({ pid }) => pid);
}

export interface HeldTransaction {
  run(statement: string): Promise<void>;
  end(): Promise<void>;
}

/** A transaction of somebody else, which has run these statements and is not over. */
export async function holdTransaction(pool: Pool, ...statements: readonly string[]): Promise<HeldTransaction> {
  const client = await pool.connect();
  let ended = false;
  const end = async (): Promise<void> => {
    if (ended) return;
    ended = true;
    await client.query('rollback');
    client.release();
  };
  onTestFinished(end);
  const run = async (statement: string): Promise<void> => { await client.query(statement); };
  for (const statement of ['begin', ...statements]) await run(statement);
  return { run, end };
}
