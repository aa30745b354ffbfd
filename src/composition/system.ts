/** The roles of this process, composed: the only file that knows every role. */
import { directusProvider } from '../auth/directus/provider.ts';
import { localProvider } from '../auth/local.ts';
import type { AuthProvider } from '../auth/provider.ts';
import { createCore } from '../core/core.ts';
import { callersOf } from '../http/callers.ts';
import type { ApiRoutes } from '../http/routes.ts';
import type { ApiServer } from '../http/server.ts';
import { createApiServer } from '../http/server.ts';
import type { Ingest } from '../ingest/ingest.ts';
import { createIngest } from '../ingest/ingest.ts';
import type { LiveEvents } from '../live/events.ts';
import type { Live } from '../live/live.ts';
import { createLive } from '../live/live.ts';
import type { Probe } from '../observability/readiness.ts';
import type { Query } from '../query/query.ts';
import { createQuery } from '../query/query.ts';
import type { Role } from '../shared/role.ts';
import type { Parts } from './connections.ts';
import { Connections, postgresProbe, roleProbe } from './connections.ts';

/** Snapshots are asked for one at a time, and one connection listens. */
const LIVE_POOL_SIZE = 4;
/** Of SHUTDOWN_TIMEOUT_MS, for requests under way; ingest takes as long at the same time. */
const API_DRAIN_SHARE = 0.5;

/** The composed system, before it is started. */
export interface System {
  readonly roles: readonly Role[];
  readonly ingest: Ingest | null;
  readonly live: Live | null;
  readonly api: ApiServer | null;
  readonly probes: Readonly<Record<string, Probe>>;
  stop(): Promise<void>;
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

function composeIngest({ settings, registry, log }: Parts, connections: Connections): Ingest {
  return createIngest({ settings, redis: connections.redisFor('ingest'), registry, log: log.child({ role: 'ingest' }) });
}

/** Live goes on without the database: that is not among its probes. */
function composeLive(parts: Parts, connections: Connections): Live {
  const { settings, servers: { redisUrl }, registry, log } = parts;
  const pool = connections.poolFor('live', {
    POSTGRES_POOL_SIZE: LIVE_POOL_SIZE,
    POSTGRES_STATEMENT_TIMEOUT_MS: settings.LIVE_SNAPSHOT_TIMEOUT_MS,
  });
  const provider = (events: LiveEvents): AuthProvider => authority(parts, events);
  const redis = connections.redisFor('live');
  return createLive({ settings, redisUrl, redis, pool, provider, registry, log: log.child({ role: 'live' }) });
}

function composeCore({ settings, servers: { redisUrl }, registry, log }: Parts, connections: Connections): Role {
  const pool = connections.poolFor('core');
  const redis = connections.redisFor('core');
  connections.probes['postgres'] = postgresProbe(pool);
  return createCore({ settings, redisUrl, redis, pool, registry, log: log.child({ role: 'core' }) });
}

/** Without Redis it answers all the same, only slower. */
function composeQuery({ settings, registry, log }: Parts, connections: Connections): Query {
  const redis = connections.redisFor('query', { isNeeded: false });
  return createQuery({ settings, pool: connections.readPool(), redis, registry, log: log.child({ role: 'query' }) });
}

function composeApi({ settings, servers, registry, log }: Parts, routes: readonly ApiRoutes[]): ApiServer {
  const auth = callersOf(localProvider(servers.token));
  return createApiServer({ settings, registry, log: log.child({ role: 'http' }), auth, routes });
}

function roleOf(api: ApiServer, drainMs: number): Role {
  return {
    name: 'http',
    get isStarted() {
      return api.isListening;
    },
    impediment: null,
    start: () => api.listen(),
    stop: () => api.stop(AbortSignal.timeout(drainMs)),
  };
}

/**
 * Roles stop in the order in which the data flows: what takes records in first (trackers, and requests), core last, so
 * that it stores what was taken.
 */
export function compose(parts: Parts): System {
  const { ROLES, SHUTDOWN_TIMEOUT_MS } = parts.settings;
  const connections = new Connections(parts);
  const ingest = ROLES.includes('ingest') ? composeIngest(parts, connections) : null;
  const live = ROLES.includes('live') ? composeLive(parts, connections) : null;
  const query = ROLES.includes('query') ? composeQuery(parts, connections) : null;
  const routes: ApiRoutes[] = [...(query?.routes ?? [])];
  const api = ROLES.includes('ingest') || ROLES.includes('query') ? composeApi(parts, routes) : null;
  const http = api === null ? null : roleOf(api, SHUTDOWN_TIMEOUT_MS * API_DRAIN_SHARE);
  const core = ROLES.includes('core') ? composeCore(parts, connections) : null;
  const steps = [[http, ingest], [live], [query?.role ?? null], [core]];
  const order = steps.map((step) => step.filter((role) => role !== null));
  const roles = order.flat();
  const { probes } = connections;
  for (const role of roles) probes[role.name] = roleProbe(role);
  const stop = async (): Promise<void> => {
    for (const step of order) await Promise.all(step.map((role) => role.stop()));
    await connections.release();
  };
  return { roles, ingest, live, api, probes, stop };
}
