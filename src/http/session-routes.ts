/**
 * Who a caller is, and browser sessions: a password or a key becomes a cookie that no script can read. Under
 * AUTH_PROVIDER=directus the sessions are Directus's own, and only the question who one is stays.
 */
import cookie from '@fastify/cookie';
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ROLES, SCOPES } from '../auth/access.ts';
import { SESSION_COOKIE } from '../auth/local/provider.ts';
import type { LoginAnswer, SignIn } from '../auth/local/sign-in.ts';
import type { Settings } from '../config/settings.ts';
import { CHALLENGE } from './authentication.ts';
import type { Caller } from './caller.ts';
import type { HttpEvents } from './events.ts';
import { checkOrigin } from './origins.ts';
import { PROBLEM_RESPONSES, Problem } from './problem.ts';
import type { ApiRoutes } from './routes.ts';

export interface SessionRouteOptions {
  readonly settings: Pick<Settings, 'API_ALLOWED_ORIGINS' | 'API_COOKIE_SECURE'>;
  /** null: sessions are somebody else's. */
  readonly signIn: SignIn | null;
  readonly events: Pick<HttpEvents, 'login'>;
}

const MAX_SECRET_LENGTH = 1_024;
const RETRY_AFTER_S = 5;

/** Not which of the two is wrong, and how: a union would say that of both. */
const LOGIN_EXPECTED = 'expected name and password, or key';

const login = z.union([
  z.strictObject({
    name: z.string().min(1).max(128).describe('Of the user; upper and lower case are the same.'),
    password: z.string().min(1).max(MAX_SECRET_LENGTH),
  }),
  z.strictObject({ key: z.string().min(1).max(MAX_SECRET_LENGTH).describe("An API key, or the administrator's token.") }),
], { error: LOGIN_EXPECTED });

const account = z
  .object({
    id: z.string().describe('`user:<id>`, `key:<id>`, `administrator`, or the id of the Directus user.'),
    role: z.enum(ROLES),
    scopes: z.array(z.enum(SCOPES)),
    reach: z.enum(['all', 'granted', 'asked']).describe('Which devices: all, those granted, or those that Directus lets through.'),
    devices: z.array(z.string()).optional().describe('Unique ids of granted devices.'),
    groups: z.array(z.string()).optional().describe('Ids of granted groups.'),
    expiresAt: z.number().nullable().describe('When the credential ends, epoch milliseconds; null: not by itself.'),
  })
  .meta({ id: 'Account' });

const session = z.object({
  id: z.string().describe('Who has signed in.'),
  expiresAt: z.number().describe('When the session ends, epoch milliseconds.'),
});

function describe({ id, role, scopes, visibility, expiresAt }: Caller): z.infer<typeof account> {
  const reach = visibility.kind;
  const granted = visibility.kind === 'granted' ? { devices: [...visibility.devices], groups: [...visibility.groups] } : {};
  return { id, role, scopes: SCOPES.filter((scope) => scopes.has(scope)), reach, ...granted, expiresAt };
}

function problemOf(answer: Exclude<LoginAnswer, { outcome: 'signed_in' }>): Problem {
  switch (answer.outcome) {
    case 'refused':
      return new Problem('credential_refused', 'the name or the password, or the key, is not right', { headers: CHALLENGE });
    case 'locked': {
      const { retryAfterSeconds } = answer;
      return new Problem('login_locked', `too many logins from this address have failed; wait ${retryAfterSeconds} s`, { retryAfterSeconds });
    }
    case 'busy':
      return new Problem('overloaded', 'too many passwords are being checked', { retryAfterSeconds: 1 });
    case 'unavailable':
      return new Problem('unavailable', 'sessions cannot be kept at the moment', { retryAfterSeconds: RETRY_AFTER_S });
  }
}

function meRoute(): ApiRoutes {
  return async (app) => {
    app.get('/v1/auth/me', {
      config: { scope: 'any' },
      schema: {
        operationId: 'getMe', tags: ['Account'], summary: 'Who the credential belongs to, and what it reaches',
        response: { 200: account, ...PROBLEM_RESPONSES },
      },
    }, (request) => describe(request.caller));
  };
}

type CookieOptions = (request: FastifyRequest) => CookieSerializeOptions;
type LoginOptions = SessionRouteOptions & { readonly signIn: SignIn; readonly cookieOptions: CookieOptions };

function loginRoute({ settings, signIn, events, cookieOptions }: LoginOptions): ApiRoutes {
  return async (app) => {
    app.post('/v1/auth/session', {
      config: { scope: 'public' },
      schema: {
        operationId: 'createSession', tags: ['Account'],
        summary: 'Signs in: with a name and a password, or with a key',
        description: `Sets the cookie \`${SESSION_COOKIE}\`, which no script can read. Five failures a minute lock an address.`,
        body: login,
        response: { 201: session, ...PROBLEM_RESPONSES },
      },
    }, async (request, reply) => {
      checkOrigin(request, settings.API_ALLOWED_ORIGINS, { isDemanded: false });
      const answer = await signIn.signIn(request.body, request.ip);
      events.login(answer.outcome, request);
      if (answer.outcome !== 'signed_in') throw problemOf(answer);
      const { id, expiresAt } = answer.session;
      reply.setCookie(SESSION_COOKIE, id, { ...cookieOptions(request), expires: new Date(expiresAt) });
      return reply.code(201).header('cache-control', 'no-store').send({ id: answer.subject, expiresAt });
    });
  };
}

function logoutRoute({ settings, signIn, cookieOptions }: LoginOptions): ApiRoutes {
  return async (app) => {
    app.delete('/v1/auth/session', {
      config: { scope: 'public' },
      schema: {
        operationId: 'deleteSession', tags: ['Account'], summary: 'Signs out: ends the session of the cookie, if there is one',
        response: { 204: z.undefined().describe('There is no session any more.'), ...PROBLEM_RESPONSES },
      },
    }, async (request, reply) => {
      const { [SESSION_COOKIE]: id } = request.cookies;
      if (id !== undefined) {
        checkOrigin(request, settings.API_ALLOWED_ORIGINS, { isDemanded: true });
        await signIn.signOut(id).catch((error: unknown) => {
          request.log.warn({ err: error }, 'a session could not be ended');
          throw new Problem('unavailable', 'the session cannot be ended at the moment', { retryAfterSeconds: RETRY_AFTER_S });
        });
      }
      reply.clearCookie(SESSION_COOKIE, cookieOptions(request));
      return reply.code(204).send();
    });
  };
}

export function sessionRoutes(options: SessionRouteOptions): ApiRoutes {
  const { settings: { API_COOKIE_SECURE: secure }, signIn } = options;
  const cookieOptions: CookieOptions = ({ protocol }) => ({
    path: '/', httpOnly: true, sameSite: 'lax', secure: secure === 'auto' ? protocol === 'https' : secure === 'always',
  });
  return async (app) => {
    await app.register(meRoute());
    if (signIn === null) return;
    await app.register(cookie);
    await app.register(loginRoute({ ...options, signIn, cookieOptions }));
    await app.register(logoutRoute({ ...options, signIn, cookieOptions }));
  };
}
