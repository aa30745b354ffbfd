/**
 * What a file of routes is: a plugin with full paths, zod schemas for what comes in and for every answer, and a scope
 * for each route. A route without a scope, or without its summary for the document, does not start.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Scope } from '../auth/access.ts';
import type { BodyPace } from './body-pace.ts';
import type { Caller } from './caller.ts';

/** Who may call: a credential with this scope, with `any` every good credential, with `public` anybody. */
export type RouteScope = Scope | 'any' | 'public';

export type ApiRoutes = FastifyPluginAsyncZod;

declare module 'fastify' {
  interface FastifyContextConfig {
    scope?: RouteScope;
  }
  interface FastifyRequest {
    /** Who calls. @throws Error on a `public` route that nobody has signed in for: ask `knownCaller` there. */
    readonly caller: Caller;
    /** null: the route is `public`, and the request bears no credential. */
    knownCaller: Caller | null;
    /** null: there is no body. */
    bodyPace: BodyPace | null;
  }
}
