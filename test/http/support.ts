/** HTTP servers of a test's own over a real Redis, and the accounts that call them. All of it ends with the test. */
import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import type { Grants } from '../../src/accounts/grants.ts';
import { createKey } from '../../src/accounts/keys.ts';
import { publishAccounts } from '../../src/accounts/publish.ts';
import { createUser } from '../../src/accounts/users.ts';
import type { Role, Scope } from '../../src/auth/access.ts';
import { Authority } from '../../src/auth/authority.ts';
import type { LocalAuthority } from '../../src/auth/local/authority.ts';
import { createLocalAuthority } from '../../src/auth/local/authority.ts';
import { SESSION_COOKIE } from '../../src/auth/local/provider.ts';
import type { ProblemBody } from '../../src/http/problem.ts';
import type { ApiRoutes } from '../../src/http/routes.ts';
import type { ApiServer } from '../../src/http/server.ts';
import { createApiServer } from '../../src/http/server.ts';
import type { Redis } from '../../src/shared/redis.ts';
import { connectRedis, waitForRedis } from '../../src/shared/redis.ts';
import type { LogLine, Overrides, Site } from '../core/support.ts';
import { metric, recordingLogger, settingsOf } from '../core/support.ts';

export const TOKEN = 'token-of-the-administrator';
export const PASSWORD = 'correct horse battery staple';
export const ALL: Grants = { all: true, devices: [], groups: [] };

export interface TestApi {
  readonly api: ApiServer;
  readonly local: LocalAuthority;
  readonly authority: Authority;
  readonly registry: Registry;
  readonly lines: readonly LogLine[];
  readonly url: string;
  ask(path: string, init?: RequestInit & { readonly key?: string; readonly cookie?: string }): Promise<Response>;
  metric(name: string, labels?: Overrides): Promise<number>;
  stop(): Promise<void>;
}

export interface ApiTestOptions {
  readonly overrides?: Overrides;
  readonly routes?: readonly ApiRoutes[];
  /** null: there is no administrator. */
  readonly token?: string | null;
}

/** A server that listens, with the accounts of `local`. */
export async function startApi(
  site: Pick<Site, 'redisUrl' | 'postgresUrl'>, options: ApiTestOptions = {},
): Promise<TestApi> {
  const settings = settingsOf(site, { API_PORT: '0', API_HOST: '127.0.0.1', ...options.overrides });
  const { log, lines } = recordingLogger();
  const registry = new Registry();
  const redis = connectRedis(site.redisUrl, { name: 'auth', commandTimeoutMs: 2_000, onError: () => undefined });
  // Not for ever: a test may want it to be away.
  await waitForRedis(redis, AbortSignal.timeout(2_000));
  const { token = TOKEN, routes = [] } = options;
  const { API_SESSION_TTL_MS: sessionTtlMs } = settings;
  const onError = (what: string, error: unknown): void => { log.debug({ err: error }, what); };
  const local = createLocalAuthority({ redis, token, sessionTtlMs, onError });
  const authority = new Authority({ settings, registry, log, provider: () => local.provider });
  const api = createApiServer({ settings, registry, log, authority, signIn: local.signIn, routes });
  let stopping: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await api.stop(AbortSignal.timeout(1_000));
    authority.stop();
    await local.stop();
    redis.disconnect();
  };
  const stop = (): Promise<void> => (stopping ??= end());
  onTestFinished(stop);
  await api.listen();
  const url = `http://127.0.0.1:${api.port}`;
  const ask: TestApi['ask'] = (path, { key, cookie, headers, ...init } = {}) => fetch(`${url}${path}`, {
    ...init,
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(cookie === undefined ? {} : { cookie: `${SESSION_COOKIE}=${cookie}` }),
      ...(headers as Record<string, string> | undefined),
    },
  });
  const measure: TestApi['metric'] = (name, labels) => metric(registry, name, labels);
  return { api, local, authority, registry, lines, url, ask, stop, metric: measure };
}

export async function problemOf(response: Response): Promise<ProblemBody> {
  return (await response.json()) as ProblemBody;
}

/** The value of the cookie that an answer sets. */
export function cookieOf(response: Response): string {
  return new RegExp(`^${SESSION_COOKIE}=([^;]*)`).exec(response.headers.get('set-cookie') ?? '')?.[1] ?? '';
}

export function post(body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit {
  return { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
}

interface NewKey {
  readonly scopes?: readonly Scope[];
  readonly grants?: Grants;
  readonly expiresAt?: number | null;
}

/** Keys and users, kept and published. */
export class Accounts {
  readonly #pool: Pool;
  readonly #redis: Redis;

  constructor({ pool, redis }: Site) {
    this.#pool = pool;
    this.#redis = redis;
  }

  async key({ scopes = ['read'], grants = ALL, expiresAt = null }: NewKey = {}): Promise<string> {
    const { key } = await createKey(this.#pool, { name: 'a test', scopes, grants, expiresAt });
    await this.publish();
    return key;
  }

  async user(name: string, role: Role = 'viewer', grants = ALL): Promise<void> {
    await createUser(this.#pool, { name, role, grants }, PASSWORD);
    await this.publish();
  }

  async publish(): Promise<void> {
    await publishAccounts(this.#pool, this.#redis);
  }
}
