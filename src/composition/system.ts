/** The roles of this process, composed: the only file that knows every role. */
import { Authority } from '../auth/authority.ts';
import { directusProvider } from '../auth/directus/provider.ts';
import type { AuthorityEvents } from '../auth/events.ts';
import { createLocalAuthority } from '../auth/local/authority.ts';
import type { SignIn } from '../auth/local/sign-in.ts';
import type { AuthProvider } from '../auth/provider.ts';
import { createCore } from '../core/core.ts';
import type { ApiRoutes } from '../http/routes.ts';
import type { ApiServer } from '../http/server.ts';
import { createApiServer } from '../http/server.ts';
import type { Ingest } from '../ingest/ingest.ts';
import { createIngest } from '../ingest/ingest.ts';
import type { Live } from '../live/live.ts';
import { createLive } from '../live/live.ts';
import type { Probe } from '../observability/readiness.ts';
import type { Query } from '../query/query.ts';
import { createQuery } from '../query/query.ts';
import { errorMessage } from '../shared/errors.ts';
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

/** Who says who may see what; `signIn` is null where it is Directus that people sign in to. */
interface Authorities {
  readonly authority: Authority;
  readonly signIn: SignIn | null;
}

function composeDirectus({ settings, registry, log }: Parts, baseUrl: string): Authorities {
  const provider = (events: AuthorityEvents): AuthProvider =>
    directusProvider({ settings, baseUrl, onRequest: events.directusAsked, onWatch: events.directusWatch });
  return { authority: new Authority({ settings, registry, log: log.child({ role: 'auth' }), provider }), signIn: null };
}

function composeLocal(parts: Parts, connections: Connections): Authorities {
  const { settings, servers: { token }, registry, log } = parts;
  if (token === null) log.warn('AUTH_TOKEN is not set: there is no administrator; API keys and users can sign in');
  const redis = connections.unprobedRedisFor('auth');
  const { API_SESSION_TTL_MS: sessionTtlMs } = settings;
  const authLog = log.child({ role: 'auth' });
  const onError = (what: string, error: unknown): void => {
    authLog.debug({ error: errorMessage(error) }, `${what} failed; going on with what is known`);
  };
  const { provider, signIn } = createLocalAuthority({ redis, token, sessionTtlMs, onError });
  return { authority: new Authority({ settings, registry, log: authLog, provider: () => provider }), signIn };
}

function composeAuthority(parts: Parts, connections: Connections): Authorities {
  const { AUTH_PROVIDER: name, DIRECTUS_BASE_URL: baseUrl } = parts.settings;
  if (name === 'directus' && baseUrl !== undefined) return composeDirectus(parts, baseUrl);
  return composeLocal(parts, connections);
}

function composeIngest({ settings, registry, log }: Parts, connections: Connections): Ingest {
  return createIngest({ settings, redis: connections.redisFor('ingest'), registry, log: log.child({ role: 'ingest' }) });
}

/** Live goes on without the database: that is not among its probes. */
function composeLive(parts: Parts, connections: Connections, authority: Authority): Live {
  const { settings, servers: { redisUrl }, registry, log } = parts;
  const pool = connections.poolFor('live', {
    POSTGRES_POOL_SIZE: LIVE_POOL_SIZE,
    POSTGRES_STATEMENT_TIMEOUT_MS: settings.LIVE_SNAPSHOT_TIMEOUT_MS,
  });
  const redis = connections.redisFor('live');
  return createLive({ settings, redisUrl, redis, pool, authority, registry, log: log.child({ role: 'live' }) });
}

function composeCore({ settings, servers: { redisUrl }, registry, log }: Parts, connections: Connections): Role {
  const pool = connections.poolFor('core');
  const redis = connections.redisFor('core');
  connections.probes['postgres'] = postgresProbe(pool);
  return createCore({ settings, redisUrl, redis, pool, registry, log: log.child({ role: 'core' }) });
}

/** Without Redis it answers all the same, only slower. */
function composeQuery({ settings, registry, log }: Parts, connections: Connections): Query {
  const redis = connections.unprobedRedisFor('query');
  return createQuery({ settings, pool: connections.readPool(), redis, registry, log: log.child({ role: 'query' }) });
}

function composeApi({ settings, registry, log }: Parts, auth: Authorities, routes: readonly ApiRoutes[]): ApiServer {
  return createApiServer({ settings, registry, log: log.child({ role: 'http' }), ...auth, routes });
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
  const hasApi = ROLES.includes('ingest') || ROLES.includes('query');
  const auth = hasApi || ROLES.includes('live') ? composeAuthority(parts, connections) : null;
  const ingest = ROLES.includes('ingest') ? composeIngest(parts, connections) : null;
  const live = ROLES.includes('live') && auth !== null ? composeLive(parts, connections, auth.authority) : null;
  const query = ROLES.includes('query') ? composeQuery(parts, connections) : null;
  const routes: ApiRoutes[] = [...(query?.routes ?? [])];
  const api = hasApi && auth !== null ? composeApi(parts, auth, routes) : null;
  const http = api === null ? null : roleOf(api, SHUTDOWN_TIMEOUT_MS * API_DRAIN_SHARE);
  const core = ROLES.includes('core') ? composeCore(parts, connections) : null;
  const steps = [[http, ingest], [live], [query?.role ?? null], [core]];
  const order = steps.map((step) => step.filter((role) => role !== null));
  const roles = order.flat();
  const { probes } = connections;
  for (const role of roles) probes[role.name] = roleProbe(role);
  const stop = async (): Promise<void> => {
    for (const step of order) await Promise.all(step.map((role) => role.stop()));
    auth?.authority.stop();
    await connections.release();
  };
  return { roles, ingest, live, api, probes, stop };
}
