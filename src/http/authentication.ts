/**
 * Who calls is settled before anything of a request is read: deny by default. A route that is not `public` is reached
 * by a good credential whose scopes cover it, and by nothing else.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from './caller.ts';
import { Problem } from './problem.ts';
import type { RouteScope } from './routes.ts';

/** Knows who a request comes from. */
export interface Callers {
  /**
   * null: the request bears no credential.
   * @throws Problem for a credential that is no good, or that cannot be asked about
   */
  callerOf(request: FastifyRequest): Promise<Caller | null>;
}

const CHALLENGE = { 'www-authenticate': 'Bearer realm="odograph"' };

function isCovered(scope: RouteScope, { scopes }: Caller): boolean {
  return scope === 'any' || scope === 'public' || scopes.has(scope) || scopes.has('admin');
}

export function requireCallers(app: FastifyInstance, callers: Callers): void {
  app.decorateRequest('knownCaller', null);
  app.decorateRequest('caller', {
    getter(this: FastifyRequest): Caller {
      if (this.knownCaller === null) throw new Error(`nobody has signed in for ${this.url}`);
      return this.knownCaller;
    },
  });
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.scope === undefined) throw new Error(`${String(method)} ${url}: a route without a scope`);
  });
  app.addHook('onRequest', async (request) => {
    const { scope } = request.routeOptions.config;
    if (scope === undefined || scope === 'public') return;
    const caller = await callers.callerOf(request);
    if (caller === null) throw new Problem('unauthenticated', 'the request bears no credential', { headers: CHALLENGE });
    request.knownCaller = caller;
    if (!isCovered(scope, caller)) throw new Problem('forbidden', `the credential does not have the scope ${scope}`);
  });
}
