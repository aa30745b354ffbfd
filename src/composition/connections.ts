/** What roles are made of: connections, each under the name of its role, and the probes that `/readyz` asks. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Registry } from 'prom-client';
import type { Settings } from '../config/settings.ts';
import type { PoolSettings } from '../db/pool.ts';
import { createPool } from '../db/pool.ts';
import type { Logger } from '../observability/logger.ts';
import type { Probe } from '../observability/readiness.ts';
import { cached } from '../observability/readiness.ts';
import { connectWatchedRedis } from '../observability/watched-redis.ts';
import { createReadPool } from '../query/database.ts';
import type { Redis } from '../shared/redis.ts';
import type { Role } from '../shared/role.ts';
import type { Servers } from './servers.ts';

const POSTGRES_PROBE_TTL_MS = 5_000;
const POOL_END_TIMEOUT_MS = 1_000;

export interface Parts {
  readonly settings: Settings;
  readonly servers: Servers;
  readonly registry: Registry;
  readonly log: Logger;
}

export class Connections {
  readonly probes: Record<string, Probe> = {};
  readonly #parts: Parts;
  readonly #releases: (() => unknown)[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A connection for commands that do not block, with a probe. */
  redisFor(role: string): Redis {
    const redis = this.unprobedRedisFor(role);
    this.probes[`redis (${role})`] = redisProbe(redis);
    return redis;
  }

  /** For what goes on without Redis. */
  unprobedRedisFor(role: string): Redis {
    const { settings, servers, log } = this.#parts;
    const { redis, release } = connectWatchedRedis({
      name: `odograph/${role}/${settings.INSTANCE_ID}`,
      commandTimeoutMs: settings.INGEST_APPEND_TIMEOUT_MS,
      url: servers.redisUrl, role, log,
    });
    this.#releases.push(release);
    return redis;
  }

  poolFor(role: string, limits: Partial<PoolSettings> = {}): Pool {
    const { settings, servers, log } = this.#parts;
    const pool = createPool({ ...settings, ...limits }, servers.postgresUrl, role, (error) => {
      log.debug({ role, error: error.message }, 'PostgreSQL connection error');
    });
    this.#releases.push(() => endPool(pool));
    return pool;
  }

  /** Read-only connections to POSTGRES_READ_URL, with a probe. */
  readPool(): Pool {
    const { settings, servers, log } = this.#parts;
    const pool = createReadPool(settings, settings.POSTGRES_READ_URL ?? servers.postgresUrl, (error) => {
      log.debug({ role: 'query', error: error.message }, 'PostgreSQL connection error');
    });
    this.probes['postgres (query)'] = postgresProbe(pool);
    this.#releases.push(() => endPool(pool));
    return pool;
  }

  async release(): Promise<void> {
    for (const release of this.#releases) await release();
  }
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

export function postgresProbe(pool: Pool): Probe {
  return cached(async () => { await pool.query('select 1'); }, POSTGRES_PROBE_TTL_MS);
}

export function roleProbe(role: Role): Probe {
  return () => {
    const impediment = role.isStarted ? role.impediment : 'starting';
    if (impediment !== null) throw new Error(impediment);
  };
}
