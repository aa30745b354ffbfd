/**
 * The HTTP API before it listens: routes, and around them what all have in common. Every answer bears its request id,
 * and every error is a problem.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { LogController, fastify } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { Settings } from '../config/settings.ts';
import type { Logger } from '../observability/logger.ts';
import type { Callers, ScopedRoute } from './authentication.ts';
import { requireCallers } from './authentication.ts';
import { BodyPaces } from './body-pace.ts';
import { DOCUMENT_PATH, registerDocument } from './document.ts';
import type { HttpEvents } from './events.ts';
import { failureHandler, sendProblem } from './failures.ts';
import { PathMethods } from './methods.ts';
import { allowOrigins } from './origins.ts';
import { Problem } from './problem.ts';
import { compressAnswers, protectBrowsers } from './protection.ts';
import { registerReference } from './reference.ts';
import type { ApiRoutes } from './routes.ts';
import { answerUnreadable } from './unreadable.ts';
import { validatorCompiler } from './validation.ts';

export interface ApplicationOptions {
  readonly settings: Settings;
  readonly log: Logger;
  readonly events: HttpEvents;
  readonly callers: Callers;
  readonly routes: readonly ApiRoutes[];
}

/** What is taken over from a caller; anything else could be used to write into the log. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

const LIMITS = {
  bodyLimit: 1024 * 1024,
  // Bodies have limits of their own: `BodyPaces`.
  requestTimeout: 0,
  keepAliveTimeout: 72_000,
  routerOptions: { maxParamLength: 256 },
} as const;
const HEADERS_TIMEOUT_MS = 10_000;

function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const { 'x-request-id': given } = headers;
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

function answerUnknown(app: FastifyInstance): void {
  const paths = new PathMethods();
  app.addHook('onRoute', ({ url, method }) => { paths.add(url, [method].flat()); });
  app.setNotFoundHandler((request, reply) => {
    const [path = '/'] = request.url.split('?', 1);
    const methods = paths.of(path);
    if (methods.length === 0) return sendProblem(reply, new Problem('no_such_route', `there is nothing at ${path}; ${DOCUMENT_PATH} lists what there is`));
    const allow = methods.join(', ');
    return sendProblem(reply, new Problem('method_not_allowed', `${path} takes ${allow}`, { headers: { allow } }));
  });
}

function createInstance(
  { settings, log, events }: ApplicationOptions, onFailure: ReturnType<typeof failureHandler>,
): FastifyInstance {
  const { API_PROXY_HOPS: hops } = settings;
  const loggerInstance: FastifyBaseLogger = log;
  return fastify({
    ...LIMITS,
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: requestIdOf,
    // Not the number itself, which Fastify takes for 'none'.
    trustProxy: hops === 0 ? false : (_address: string, hop: number) => hop < hops,
    clientErrorHandler: answerUnreadable((problem) => { events.refused(problem); }),
    frameworkErrors: (error, request, reply) => { void onFailure(error, request, reply); },
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: HEADERS_TIMEOUT_MS / 2 },
  });
}

/** Counts and logs each request, however it ends, and ends those whose bodies do not come. */
function watchRequests(app: FastifyInstance, { events, settings }: Pick<ApplicationOptions, 'events' | 'settings'>): void {
  const paces = new BodyPaces({
    wholeMs: settings.API_BODY_TIMEOUT_MS,
    onTooSlow({ socket }) {
      // As Node does with headers that do not come: `answerUnreadable` answers.
      app.server.emit('clientError', Object.assign(new Error('too slow'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
    },
  });
  app.decorateRequest('bodyPace', null);
  app.addHook('onRequest', async (request, reply) => {
    const startedAt = performance.now();
    reply.header('x-request-id', request.id);
    events.begun();
    request.bodyPace = paces.watch(request.raw);
    reply.raw.once('close', () => {
      events.ended(request, reply, performance.now() - startedAt);
      paces.answered(request.bodyPace);
    });
  });
  app.addHook('onClose', async () => { paces.stop(); });
}

export interface Application {
  readonly app: FastifyInstance;
  readonly routes: readonly ScopedRoute[];
}

/** Ready to be asked, with `inject` or after `listen`. */
export async function createApplication(options: ApplicationOptions): Promise<Application> {
  const { events, settings, callers } = options;
  const onFailure = failureHandler(events);
  const app = createInstance(options, onFailure);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(onFailure);
  watchRequests(app, options);
  await protectBrowsers(app);
  await allowOrigins(app, settings.API_ALLOWED_ORIGINS);
  await compressAnswers(app);
  answerUnknown(app);
  const routes = requireCallers(app, callers);
  await registerDocument(app);
  await registerReference(app);
  for (const plugin of options.routes) await app.register(plugin);
  await app.ready();
  return { app, routes };
}
