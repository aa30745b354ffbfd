/**
 * The HTTP server of a process, on API_PORT, with the routes of its roles. Stopping takes nothing new in and gives
 * requests under way until the deadline; what is cut off then was not answered, and can be asked again.
 */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { Settings } from '../config/settings.ts';
import type { Logger } from '../observability/logger.ts';
import { errorMessage } from '../shared/errors.ts';
import { settledBy } from '../shared/wait.ts';
import { createApplication } from './application.ts';
import type { Callers } from './authentication.ts';
import type { ApiRoutes } from './routes.ts';

export interface ApiServerOptions {
  readonly settings: Settings;
  readonly registry: Registry;
  readonly log: Logger;
  readonly auth: Callers;
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
  /** @throws ApiPortError when the port cannot be had */
  listen(): Promise<void>;
  /** Safe to call more than once. */
  stop(deadline: AbortSignal): Promise<void>;
}

class FastifyApiServer implements ApiServer {
  readonly #options: ApiServerOptions;
  #app: FastifyInstance | null = null;
  #isStopping = false;

  constructor(options: ApiServerOptions) {
    this.#options = options;
  }

  get isListening(): boolean {
    return this.#app?.server.listening === true;
  }

  get port(): number {
    return (this.#app?.server.address() as AddressInfo).port;
  }

  async listen(): Promise<void> {
    const { settings, log, auth, routes } = this.#options;
    const { API_PORT: port, API_HOST: host } = settings;
    this.#app = await createApplication({ settings, log, callers: auth, routes });
    if (this.#isStopping) return;
    // Its own line says one for each address, and not the port in a field.
    await this.#app.listen({ port, host, listenTextResolver: () => '' }).catch((error: unknown) => {
      throw new ApiPortError(port, error);
    });
    log.info({ host, port: this.port }, 'listening for requests');
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
