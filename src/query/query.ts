/**
 * The role query: answers what is asked about devices and their history, out of the database alone. It writes nothing,
 * and its connections could not.
 *
 * Its routes answer from the first moment; while the database is away they say so (503), and `/readyz` does too.
 */
import type { Pool } from 'pg';
import type { Registry } from 'prom-client';
import type { Settings } from '../config/settings.ts';
import { waitForDatabase } from '../db/pool.ts';
import type { ApiRoutes } from '../http/routes.ts';
import type { Logger } from '../observability/logger.ts';
import { createQueryProtectionMetrics } from '../observability/metrics/query-protection.ts';
import { createQueryMetrics } from '../observability/metrics/query.ts';
import type { Redis } from '../shared/redis.ts';
import type { Role } from '../shared/role.ts';
import { settledBy } from '../shared/wait.ts';
import { AnswerCache } from './cache/answer-cache.ts';
import { AnswerStore } from './cache/answer-store.ts';
import { QueryDatabase } from './database.ts';
import type { QueryEvents } from './events.ts';
import { createQueryEvents } from './events.ts';
import { deviceListRoutes } from './devices/list.ts';
import { deviceRoutes } from './devices/device.ts';
import { groupRoutes } from './devices/groups.ts';
import { historyRoutes } from './history/routes.ts';
import { latestRoutes } from './latest/routes.ts';
import type { QueryParts } from './parts.ts';
import { CostLimit } from './protection/cost.ts';
import { createProtectionEvents } from './protection/events.ts';
import { ProtectedDatabase } from './protection/protected-database.ts';
import { seriesRoutes } from './series/routes.ts';
import { summariesRoutes } from './summaries/routes.ts';
import { totalsRoutes } from './totals/routes.ts';
import { VisibleDevices } from './visible-devices.ts';

export interface QueryOptions {
  readonly settings: Settings;
  /** As `createReadPool` makes them. */
  readonly pool: Pool;
  /** A connection for commands that do not block. */
  readonly redis: Redis;
  readonly registry: Registry;
  readonly log: Logger;
}

export interface Query {
  readonly role: Role;
  readonly routes: readonly ApiRoutes[];
}

const STOP_TIMEOUT_MS = 1_000;

/** One file a question. */
function routesOf(parts: QueryParts): ApiRoutes[] {
  return [
    deviceListRoutes(parts), deviceRoutes(parts), groupRoutes(parts), historyRoutes(parts), latestRoutes(parts),
    seriesRoutes(parts), summariesRoutes(parts), totalsRoutes(parts),
  ];
}

class QueryRole implements Role {
  readonly name = 'query';
  /** What it needs is the database, which has a probe of its own. */
  readonly impediment = null;
  readonly #pool: Pool;
  readonly #events: QueryEvents;
  readonly #stopping = new AbortController();
  #starting: Promise<void> | null = null;
  #isStarted = false;

  constructor(pool: Pool, events: QueryEvents) {
    this.#pool = pool;
    this.#events = events;
  }

  get isStarted(): boolean {
    return this.#isStarted;
  }

  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** The HTTP server has finished its requests before this. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await settledBy(AbortSignal.timeout(STOP_TIMEOUT_MS), this.#starting ?? Promise.resolve());
  }

  async #start(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      await waitForDatabase(this.#pool, { signal, onRetry: this.#events.databaseAway });
      this.#isStarted = true;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** The role query of this process, and the routes that an HTTP server mounts for it. */
export function createQuery({ settings, pool, redis, registry, log }: QueryOptions): Query {
  const events = createQueryEvents(createQueryMetrics(registry), log, pool);
  const protection = createProtectionEvents(createQueryProtectionMetrics(registry), log);
  const database = new ProtectedDatabase(new QueryDatabase(pool, events), settings, protection);
  const cache = new AnswerCache(new AnswerStore(redis, settings, protection));
  const cost = new CostLimit(database, settings.QUERY_MAX_ROWS, protection.tooExpensive);
  const visible = new VisibleDevices(database);
  const parts = { settings, database, visible, redis, events, log, cache, cost, protection };
  return { role: new QueryRole(pool, events), routes: routesOf(parts) };
}
