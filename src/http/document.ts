/**
 * The OpenAPI document of the routes, made from the schemas that validate, at `/v1/openapi.json`. What the scope of a
 * route demands stands in it too.
 */
import type { SwaggerTransform } from '@fastify/swagger';
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { SESSION_COOKIE } from '../auth/local/provider.ts';
import type { RouteScope } from './routes.ts';

export const DOCUMENT_PATH = '/v1/openapi.json';

const DESCRIPTION = `Records of GPS trackers, written and read over HTTP.

Every error is a problem as RFC 9457 describes it, with a \`code\` for programs and the request id. Times are epoch
milliseconds where nothing else is said. See docs/http-api.md.`;

/** The chapters of the document; a route is in one of them. */
export const TAGS = {
  Records: 'Writing: records of devices that come over HTTP.',
  Devices: 'The devices and their newest state.',
  Positions: 'History, and newest positions of many devices or of an area.',
  Series: 'Values over time, summaries per day, and totals.',
  Account: 'Who a caller is, and browser sessions.',
} as const;

export type Tag = keyof typeof TAGS;

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: "An API key, the administrator's token, or a token of Directus." },
  session: { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE, description: 'A browser session.' },
} as const;

const CREDENTIALS = [{ bearer: [] }, { session: [] }];

function demand(scope: RouteScope): string {
  if (scope === 'public') return 'For everybody.';
  return scope === 'any' ? 'For every good credential.' : `For credentials with the scope \`${scope}\`.`;
}

/** What an answer is where its schema does not say. */
const ANSWERS: Readonly<Record<string, string>> = { 200: 'What was asked for.', 201: 'What was made.', 202: 'What became of the records.' };

interface Header {
  readonly type: 'string' | 'integer';
  readonly description: string;
}

const LINK: Header = { type: 'string', description: 'On every page but the last: the URL of the next one, as `<…>; rel="next"`.' };
const ETAG: Header = { type: 'string', description: 'Of this answer: with it as `If-None-Match`, an equal one is 304.' };
const RETRY_AFTER: Header = { type: 'integer', description: 'Seconds after which to come again.' };

/** Of an answer of this status, whatever the route. */
const HEADERS: Readonly<Record<string, Readonly<Record<string, Header>>>> = {
  202: {
    'Idempotent-Replayed': { type: 'string', description: '`true`: this is the answer to an earlier request with the same `Idempotency-Key`.' },
    'Preference-Applied': { type: 'string', description: '`handling=strict`, where `Prefer` asked for it.' },
    'RateLimit-Limit': { type: 'integer', description: 'Requests that the caller has in any minute.' },
    'RateLimit-Remaining': { type: 'integer', description: 'Those that are left.' },
    'RateLimit-Reset': { type: 'integer', description: 'Seconds until there are more.' },
    'RateLimit-Policy': { type: 'string', description: 'Such as `10000;w=60`.' },
  },
  401: { 'WWW-Authenticate': { type: 'string', description: 'Which kind of credential is asked for.' } },
  429: { 'Retry-After': RETRY_AFTER },
  503: { 'Retry-After': RETRY_AFTER },
};

type Answers = Readonly<Record<string, object>>;

/** An answer that takes `cursor` is a page, and names the next one in a header too. */
function headersOf(status: string, answers: Answers, querystring: unknown): Readonly<Record<string, Header>> {
  const { properties = {} } = (querystring ?? {}) as { properties?: Record<string, unknown> };
  return {
    ...HEADERS[status],
    ...(status === '200' && '304' in answers ? { ETag: ETAG } : {}),
    ...(status === '200' && 'cursor' in properties ? { Link: LINK } : {}),
  };
}

/** The answers of a route with the headers that they bear, and words for each. */
function answersOf(response: unknown, querystring: unknown): Answers {
  const answers = (response ?? {}) as Answers;
  return Object.fromEntries(Object.entries(answers).map(([status, answer]) => {
    const description = ANSWERS[status];
    const headers = headersOf(status, answers, querystring);
    return [status, {
      ...(description === undefined ? {} : { description }), ...answer,
      ...(Object.keys(headers).length === 0 ? {} : { headers }),
    }];
  }));
}

const transform: SwaggerTransform = (input) => {
  const { schema: bare, url } = jsonSchemaTransform(input);
  const { scope } = input.route.config ?? {};
  if (scope === undefined || bare.hide === true) return { schema: bare, url };
  const schema = { ...bare, response: answersOf(bare.response, bare.querystring) };
  const description = [schema.description, demand(scope)].filter((text) => text !== undefined).join('\n\n');
  return { schema: { ...schema, description, security: scope === 'public' ? [] : CREDENTIALS }, url };
};

/** Schemas that something refers to: each is given in two forms, as it comes in and as it goes out. */
function referredTo(document: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (text: string, schemas: Readonly<Record<string, unknown>>): void => {
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (found.has(name)) continue;
      found.add(name);
      visit(JSON.stringify(schemas[name] ?? null), schemas);
    }
  };
  const { schemas = {} } = document['components'] as { schemas?: Record<string, unknown> };
  visit(JSON.stringify(document['paths'] ?? {}), schemas);
  return found;
}

function withoutUnused<Document extends object>(document: Document): Document {
  const { components = {} } = document as { components?: { schemas?: Record<string, unknown> } };
  const used = referredTo(document as Readonly<Record<string, unknown>>);
  const schemas = Object.fromEntries(Object.entries(components.schemas ?? {}).filter(([name]) => used.has(name)));
  return { ...document, components: { ...components, schemas } };
}

/** Before the routes, so that it sees them. */
export async function registerDocument(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Odograph', version: '1', description: DESCRIPTION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      servers: [{ url: '/', description: 'This server' }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: { securitySchemes: SECURITY_SCHEMES },
    },
    transform,
    transformObject: (input) => withoutUnused(jsonSchemaTransformObject(input)),
  });
  app.get(DOCUMENT_PATH, { config: { scope: 'public' }, schema: { hide: true } }, () => app.swagger());
}

/** What the document has to say of a route. @throws Error for a route that it could not say it of */
export function checkDocumented(route: string, schema: Readonly<Record<string, unknown>> | undefined): void {
  if (schema?.['hide'] === true) return;
  const missing = ['operationId', 'summary', 'tags', 'response'].filter((name) => schema?.[name] === undefined);
  if (missing.length > 0) throw new Error(`${route}: a route without ${missing.join(', ')} in its schema`);
  const unknown = (schema?.['tags'] as readonly string[]).filter((tag) => !(tag in TAGS));
  if (unknown.length > 0) throw new Error(`${route}: no such tag: ${unknown.join(', ')}; src/http/document.ts has them`);
}
