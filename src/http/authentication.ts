/**
 * Who calls is settled before anything of a request is read: deny by default. A route that is not `public` is reached
 * by a good credential whose scopes cover it, and by nothing else.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from './caller.ts';
import { checkDocumented } from './document.ts';
import { Problem } from './problem.ts';
import { REFERENCE_PATH } from './reference.ts';
import type { RouteScope } from './routes.ts';

/** Knows who a request comes from. */
export interface Callers {
  /**
   * null: the request bears no credential.
   * @throws Problem for a credential that is no good, or that cannot be asked about
   */
  callerOf(request: FastifyRequest): Promise<Caller | null>;
}

/** Of an answer 401: which kind of credential is asked for. */
export const CHALLENGE = { 'www-authenticate': 'Bearer realm="odograph"' };

function isCovered(scope: RouteScope, { scopes }: Caller): boolean {
  return scope === 'any' || scope === 'public' || scopes.has(scope) || scopes.has('admin');
}

/** A route that says for whom it is and what it does. */
export interface ScopedRoute {
  readonly method: string;
  readonly url: string;
  readonly scope: RouteScope;
}

/** Pages and their files: registered by plugins that know nothing of scopes. */
function isPage(url: string): boolean {
  return url === REFERENCE_PATH || url.startsWith(`${REFERENCE_PATH}/`);
}

/** Lets nobody through but whom a route is for. @returns the routes, as they are added from now on */
export function requireCallers(app: FastifyInstance, callers: Callers): readonly ScopedRoute[] {
  const routes: ScopedRoute[] = [];
  app.decorateRequest('knownCaller', null);
  app.decorateRequest('caller', {
    getter(this: FastifyRequest): Caller {
      if (this.knownCaller === null) throw new Error(`nobody has signed in for ${this.url}`);
      return this.knownCaller;
    },
  });
  app.addHook('onRoute', (route) => {
    const { method, url } = route;
    if (isPage(url)) route.config = { ...route.config, scope: 'public' };
    const name = `${String(method)} ${url}`;
    const { scope } = route.config ?? {};
    if (scope === undefined) throw new Error(`${name}: a route without a scope`);
    if (!isPage(url)) checkDocumented(name, route.schema as Readonly<Record<string, unknown>> | undefined);
    for (const one of [method].flat()) routes.push({ method: one, url, scope });
  });
  app.addHook('onRequest', async (request) => {
    const { scope } = request.routeOptions.config;
    // What is no route is told so, whoever asks.
    if (scope === 'public' || request.is404) return;
    const caller = await callers.callerOf(request);
    if (caller === null) throw new Problem('unauthenticated', 'the request bears no credential', { headers: CHALLENGE });
    request.knownCaller = caller;
    if (scope === undefined || !isCovered(scope, caller)) {
      throw new Problem('forbidden', `the credential does not have the scope ${scope ?? 'of this route'}`);
    }
  });
  return routes;
}
