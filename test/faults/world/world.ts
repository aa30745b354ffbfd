/**
 * A world for one fault: Redis and PostgreSQL of its own, configured as operations.md tells an operator to, the
 * programs of Odograph on them, a fleet that sends to it, and an observer. Nothing in it is shared with another world.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { freePort } from '../../../src/embedded/port.ts';
import { extensionSettings } from '../../../src/embedded/postgres-binaries.ts';
import type { Random } from '../../../src/simulator/random.ts';
import { pause } from '../../../src/shared/wait.ts';
import { eventually } from '../../support/eventually.ts';
import { postgresForTests, startTestPostgres, startTestRedis } from '../../support/local-servers.ts';
import type { PrivateServer } from '../../support/private-server.ts';
import { privateServer } from '../../support/private-server.ts';
import { Fleet } from './fleet.ts';
import type { Environment } from './program.ts';
import { Program } from './program.ts';
import { Watch } from './watch.ts';

/** Which programs there are, by their name, and the roles of each. */
const TOPOLOGIES = {
  apart: { ingest: 'ingest', core: 'core' },
  joint: { odograph: 'ingest,core,live' },
  'two cores': { ingest: 'ingest', 'core-a': 'core', 'core-b': 'core' },
} as const satisfies Readonly<Record<string, Environment>>;

export type Topology = keyof typeof TOPOLOGIES;
export type ProgramName = 'ingest' | 'core' | 'odograph' | 'core-a' | 'core-b';

/** What a world has that another one has not. */
export interface WorldOptions {
  /** `apart` unless told. */
  readonly topology?: Topology;
  readonly settings?: Environment;
  readonly redis?: Environment;
  readonly postgres?: Environment;
  /** Called when the servers are up and nothing else. */
  readonly prepare?: (world: World) => Promise<void>;
}

export interface Load {
  readonly devices: number;
  /** Records/s. */
  readonly rate: number;
}

/** When something was broken, `performance.now()`. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

const never = new AbortController().signal;
const READY_TIMEOUT_MS = 60_000;
/** Entries of a dead core are claimed by the other one soon; all else as in production. */
const SETTINGS = {
  INGEST_HOST: '127.0.0.1',
  LIVE_WS_HOST: '127.0.0.1',
  LIVE_WS_PORT: '0',
  API_PORT: '0',
  INGEST_DURABILITY: 'fsync',
  PROCESSOR_CLAIM_INTERVAL_MS: '500',
  PROCESSOR_CLAIM_IDLE_MS: '2000',
  STREAM_RETENTION_MS: '5000',
  POSITIONS_PARTITION_DAYS_AHEAD: '1',
  POSITIONS_PARTITION_DAYS_BEHIND: '1',
};

async function startServer(
  dataDir: string, start: (options: { dataDir: string; port?: number }) => ReturnType<typeof startTestRedis>,
): Promise<PrivateServer> {
  await mkdir(dataDir, { recursive: true });
  return privateServer((port) => start({ dataDir, ...(port !== undefined && { port }) }), dataDir);
}

export class World {
  readonly folder: string;
  readonly options: WorldOptions;
  readonly random: Random;
  readonly programs = new Map<string, Program>();
  readonly watch = new Watch();
  readonly outages: Outage[] = [];
  readonly pool: Pool;
  readonly redisClient: Redis;
  /** Where ingest listens. */
  readonly trackerPort: number;
  redis: PrivateServer;
  postgres: PrivateServer;
  fleet: Fleet | null = null;
  /** Records that others than the fleet have written, and were told that they are kept. */
  othersAccepted = 0;

  private constructor(
    folder: string, options: WorldOptions, random: Random, servers: { redis: PrivateServer; postgres: PrivateServer },
    trackerPort: number,
  ) {
    this.folder = folder;
    this.options = options;
    this.random = random;
    this.redis = servers.redis;
    this.postgres = servers.postgres;
    this.trackerPort = trackerPort;
    // A connection that it let go of in the middle of a fault would be one for the programs.
    this.pool = new Pool({ connectionString: this.postgres.url, application_name: 'observer', max: 3, idleTimeoutMillis: 0 });
    this.pool.on('error', () => undefined);
    this.redisClient = new Redis(this.redis.url, {
      connectionName: 'observer', maxRetriesPerRequest: null, retryStrategy: () => 100,
    });
    this.redisClient.on('error', () => undefined);
  }

  /** @param folder of its own, beginning of the paths of its data */
  static async create(folder: string, options: WorldOptions, random: Random): Promise<World> {
    const binaries = await postgresForTests();
    const redisSettings = { appendonly: 'yes', appendfsync: 'always', save: '', ...options.redis };
    const postgresSettings = { fsync: 'on', ...extensionSettings(binaries), ...options.postgres };
    const [redis, postgres] = await Promise.all([
      startServer(`${folder}-redis`, (where) => startTestRedis({ ...where, settings: redisSettings })),
      startServer(`${folder}-postgres`, (where) => startTestPostgres(binaries, { ...where, settings: postgresSettings })),
    ]);
    const world = new World(folder, options, random, { redis, postgres }, (await freePort()) ?? 0);
    await options.prepare?.(world);
    await world.#startPrograms();
    return world;
  }

  async #startPrograms(): Promise<void> {
    const topology = TOPOLOGIES[this.options.topology ?? 'apart'];
    for (const [name, roles] of Object.entries(topology)) {
      const env = {
        ...SETTINGS, ROLES: roles, INSTANCE_ID: name, REDIS_URL: this.redis.url, POSTGRES_URL: this.postgres.url,
        INGEST_LISTENERS: `teltonika:${this.trackerPort}`, ...this.options.settings,
      };
      const clockFile = `${this.folder}-${name}.clock`;
      await writeFile(clockFile, '0');
      this.programs.set(name, await Program.create(name, env, clockFile));
    }
    await Promise.all([...this.programs.values()].map((program) => program.start()));
    await this.allReady();
    this.watch.start([...this.programs.values()]);
  }

  /** @throws RangeError where this topology has none of that name */
  program(name: ProgramName): Program {
    const program = this.programs.get(name);
    if (program === undefined) throw new RangeError(`there is no ${name} here`);
    return program;
  }

  /** Sets the wall clock of a program off by so many milliseconds. */
  async setClock(name: ProgramName, offsetMs: number): Promise<void> {
    await writeFile(`${this.folder}-${name}.clock`, String(offsetMs));
    this.program(name).signal('SIGUSR2');
  }

  async allReady(): Promise<void> {
    await eventually(async () => {
      for (const program of this.programs.values()) {
        const { failing } = await program.readiness();
        if (failing.length > 0) throw new Error(`${program.name} is not ready: ${failing.join('; ')}`);
      }
    }, { timeoutMs: READY_TIMEOUT_MS });
  }

  /** @param port where the fleet connects, if not to ingest itself */
  startFleet({ devices, rate }: Load, port = this.trackerPort): void {
    const seed = this.random.integer(0, 2 ** 31);
    this.fleet = new Fleet({ port, postgresUrl: this.postgres.url, devices, rate, seed });
  }

  /**
   * Resolves when every tracker has a record in the database that it made after now, and all programs are ready: what
   * came meanwhile is caught up with.
   */
  async recovered(): Promise<void> {
    const from = new Date();
    const devices = this.fleet?.options.devices ?? 0;
    await eventually(async () => {
      if (this.fleet?.isRunning !== true) throw new Error('the fleet has ended');
      const { rows } = await this.pool.query<{ devices: number }>(
        'select count(*)::int as devices from device_state where ts > $1', [from],
      );
      const current = rows[0]?.devices ?? 0;
      if (current < devices) throw new Error(`${devices - current} of ${devices} devices have nothing newer in the database`);
    }, { timeoutMs: READY_TIMEOUT_MS });
    await this.allReady();
  }

  /** Breaks something while `work` runs. */
  async outage(work: () => Promise<void>): Promise<void> {
    const from = performance.now();
    await work();
    this.outages.push({ from, to: performance.now() });
  }

  /** A random time, milliseconds. */
  async hold(leastMs: number, mostMs: number): Promise<void> {
    await pause(this.random.between(leastMs, mostMs), never);
  }

  /** Ends what is left of it, by force. */
  async destroy(): Promise<void> {
    await this.watch.stop();
    await Promise.all([...this.programs.values()].map((program) => program.end('SIGKILL')));
    this.redisClient.disconnect();
    await Promise.race([this.pool.end(), pause(1_000, never)]);
    await Promise.all([this.redis.stop(), this.postgres.stop()]);
  }
}

/** A folder for what a world keeps, in that of the run. */
export function worldFolder(runFolder: string, index: number): string {
  return join(runFolder, `world-${index}`);
}
