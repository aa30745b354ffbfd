/**
 * The HTTP server of a process, on API_PORT, with the routes of its roles. Stopping takes nothing new in and gives
 * requests under way until the deadline; what is cut off then was not answered, and can be asked again.
 */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { Authority } from '../auth/authority.ts';
import type { SignIn } from '../auth/local/sign-in.ts';
import type { Settings } from '../config/settings.ts';
import type { Logger } from '../observability/logger.ts';
import { createHttpMetrics } from '../observability/metrics/http.ts';
import { errorMessage } from '../shared/errors.ts';
import { settledBy } from '../shared/wait.ts';
import type { Application } from './application.ts';
import { createApplication } from './application.ts';
import type { ScopedRoute } from './authentication.ts';
import { callersOf } from './callers.ts';
import type { HttpEvents } from './events.ts';
import { createHttpEvents } from './events.ts';
import type { ApiRoutes } from './routes.ts';
import { sessionRoutes } from './session-routes.ts';

export interface ApiServerOptions {
  readonly settings: Settings;
  readonly registry: Registry;
  readonly log: Logger;
  readonly authority: Authority;
  /** null: sessions are somebody else's. */
  readonly signIn: SignIn | null;
  /** Of the roles of this process. */
  readonly routes: readonly ApiRoutes[];
}

/** The port of API_PORT cannot be had. */
export class ApiPortError extends Error {
  override readonly name = 'ApiPortError';

  constructor(port: number, cause: unknown) {
    super(`API_PORT: cannot listen on ${port}: ${errorMessage(cause)}`, { cause });
  }
}

export interface ApiServer {
  /** Once it listens. */
  readonly port: number;
  readonly isListening: boolean;
  /** The routes and the OpenAPI document; listens to nothing for it. */
  described(): Promise<{ readonly routes: readonly ScopedRoute[]; readonly document: object }>;
  /** @throws ApiPortError when the port cannot be had */
  listen(): Promise<void>;
  /** Safe to call more than once. */
  stop(deadline: AbortSignal): Promise<void>;
}

class FastifyApiServer implements ApiServer {
  readonly #options: ApiServerOptions;
  readonly #events: HttpEvents;
  #application: Promise<Application> | null = null;
  #app: FastifyInstance | null = null;
  #isStopping = false;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#events = createHttpEvents(createHttpMetrics(options.registry));
  }

  get isListening(): boolean {
    return this.#app?.server.listening === true;
  }

  get port(): number {
    return (this.#app?.server.address() as AddressInfo).port;
  }

  async described(): Promise<{ readonly routes: readonly ScopedRoute[]; readonly document: object }> {
    const { app, routes } = await this.#create();
    return { routes, document: app.swagger() };
  }

  async listen(): Promise<void> {
    const { settings: { API_PORT: port, API_HOST: host }, log, authority } = this.#options;
    const { app } = await this.#create();
    if (this.#isStopping) return;
    this.#app = app;
    authority.start();
    // Its own line says one for each address, and not the port in a field.
    await app.listen({ port, host, listenTextResolver: () => '' }).catch((error: unknown) => {
      throw new ApiPortError(port, error);
    });
    log.info({ host, port: this.port }, 'listening for requests');
  }

  #create(): Promise<Application> {
    const { settings, log, authority, signIn, routes } = this.#options;
    const events = this.#events;
    const callers = callersOf(authority, settings.API_ALLOWED_ORIGINS);
    const own = sessionRoutes({ settings, signIn, events });
    this.#application ??= createApplication({ settings, log, events, callers, routes: [own, ...routes] });
    return this.#application;
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true;
    const app = this.#app;
    if (app === null) return;
    const closed = app.close();
    app.server.closeIdleConnections();
    await settledBy(deadline, closed);
    app.server.closeAllConnections();
    await closed;
  }
}

/** The HTTP server of this process. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  return new FastifyApiServer(options);
}
