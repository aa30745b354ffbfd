/** What all routes have in common: problems, request ids, origins, compression, the document, and the end. */
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { etagOf, isUnchanged } from '../../src/http/etag.ts';
import { PROBLEM_RESPONSES, PROBLEM_TYPE, Problem, problemSchema } from '../../src/http/problem.ts';
import type { ApiRoutes } from '../../src/http/routes.ts';
import { createRedis } from '../support/redis.ts';
import { eventually } from '../support/eventually.ts';
import type { TestApi } from './support.ts';
import { TOKEN, post, problemOf, startApi } from './support.ts';

const LISTED = 'https://fleet.example.com';
const described = (operationId: string) => ({ operationId, summary: operationId, tags: ['Devices'], response: { 200: z.any(), ...PROBLEM_RESPONSES } });

/** Held until a test lets go. */
let release = (): void => undefined;

const things: ApiRoutes = async (app) => {
  app.get('/v1/things/:id', {
    config: { scope: 'read' },
    schema: { ...described('getThing'), params: z.object({ id: z.coerce.number() }), querystring: z.strictObject({ from: z.iso.datetime().optional() }) },
  }, (request) => ({ id: request.params.id, who: request.caller.id }));
  app.post('/v1/things', {
    config: { scope: 'public' }, bodyLimit: 10_000,
    schema: { ...described('createThing'), body: z.array(z.strictObject({ name: z.string().max(5) })) },
  }, (request) => ({ count: request.body.length }));
  app.get('/v1/broken', { config: { scope: 'public' }, schema: described('breakThing') }, () => { throw new Error('the secret plan'); });
  app.get('/v1/busy', { config: { scope: 'public' }, schema: described('busyThing') }, () => {
    throw new Problem('overloaded', 'too much', { retryAfterSeconds: 3 });
  });
  app.get('/v1/large', { config: { scope: 'public' }, schema: described('largeThing') }, () => ({ text: 'x'.repeat(100_000) }));
  app.get('/v1/tagged', { config: { scope: 'public' }, schema: described('taggedThing') }, async (request, reply) => {
    if (isUnchanged(request, reply, etagOf('state', 1))) return reply.code(304).send();
    return { state: 1 };
  });
  app.get('/v1/slow', { config: { scope: 'public' }, schema: described('slowThing') }, async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    release = () => { resolve(undefined); };
    await promise;
    return { done: true };
  });
  app.get('/v1/stream', { config: { scope: 'public' }, compress: false, schema: described('streamThings') }, async (_request, reply) => {
    const lines = async function* () {
      yield '{"line":1}\n';
      const { promise, resolve } = Promise.withResolvers<undefined>();
      release = () => { resolve(undefined); };
      await promise;
      yield '{"line":2}\n';
    };
    return reply.type('application/x-ndjson').send(Readable.from(lines()));
  });
};

let api: TestApi;
beforeEach(async () => {
  const { url: redisUrl } = await createRedis();
  api = await startApi({ redisUrl, postgresUrl: 'postgres://nowhere' }, { routes: [things], overrides: { API_ALLOWED_ORIGINS: LISTED } });
});

describe('a problem', () => {
  test.each<[string, string, RequestInit, number, string]>([
    ['no such path', '/v1/nothing', {}, 404, 'no_such_route'],
    ['no path at all', '/%zz', {}, 400, 'invalid_request'],
    ['a method that the path does not take', '/v1/things/1', { method: 'DELETE' }, 405, 'method_not_allowed'],
    ['no credential', '/v1/things/1', {}, 401, 'unauthenticated'],
    ['a bad credential', '/v1/things/1', { headers: { authorization: 'Bearer wrong' } }, 401, 'credential_refused'],
    ['a credential that is no token', '/v1/things/1', { headers: { authorization: 'Basic YTpi' } }, 401, 'credential_refused'],
    ['a parameter that is not as documented', '/v1/things/x', { headers: { authorization: `Bearer ${TOKEN}` } }, 400, 'invalid_request'],
    ['a body that is no JSON', '/v1/things', { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } }, 400, 'invalid_request'],
    ['no body', '/v1/things', { method: 'POST', headers: { 'content-type': 'application/json' } }, 400, 'invalid_request'],
    ['a body of another form', '/v1/things', { method: 'POST', body: '<a/>', headers: { 'content-type': 'application/xml' } }, 415, 'unsupported_media_type'],
    ['a body in another encoding', '/v1/things', post([], { 'content-encoding': 'zstd' }), 415, 'unsupported_media_type'],
    ['a body that is too long', '/v1/things', post([{ name: 'x'.repeat(20_000) }]), 413, 'payload_too_large'],
    ['a bug', '/v1/broken', {}, 500, 'internal_error'],
    ['what a route throws', '/v1/busy', {}, 503, 'overloaded'],
  ])('is the answer to %s', async (_what, path, init, status, code) => {
    const response = await api.ask(path, init);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe(PROBLEM_TYPE);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const body = problemSchema.strict().parse(await response.json());
    expect(body).toMatchObject({ status, code, type: `urn:odograph:problem:${code}`, requestId: response.headers.get('x-request-id') });
    expect(JSON.stringify(body)).not.toContain('secret plan');
  });

  test('names each field at fault', async () => {
    const { errors } = await problemOf(await api.ask('/v1/things', post([{ name: 'fine' }, { name: 'too long' }, { name: 'x', more: 1 }])));
    expect(errors?.map(({ field }) => field)).toEqual(['body[1].name', 'body[2].more']);
    const answer = await problemOf(await api.ask('/v1/things/1?from=yesterday', { key: TOKEN }));
    expect(answer.detail).toContain('query.from');
    const unknown = await problemOf(await api.ask('/v1/things/1?form=yesterday', { key: TOKEN }));
    expect(unknown.detail).toBe('query.form: no such parameter: there are from');
  });

  test('says in which form a body is taken', async () => {
    const { detail } = await problemOf(await api.ask('/v1/things', { method: 'POST', body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }));
    expect(detail).toBe('Content-Type: expected application/json');
  });

  test('says which methods a path takes, and when to come again', async () => {
    expect((await api.ask('/v1/things/1', { method: 'PUT' })).headers.get('allow')).toBe('GET, HEAD');
    expect((await api.ask('/v1/busy')).headers.get('retry-after')).toBe('3');
    expect((await api.ask('/v1/things/1')).headers.get('www-authenticate')).toBe('Bearer realm="odograph"');
  });

  test('of a bug is in the log with all that is known, under the request id', async () => {
    const { requestId } = await problemOf(await api.ask('/v1/broken'));
    expect(api.lines.find(({ msg }) => msg.includes('bug of ours'))).toMatchObject({ requestId, err: { message: 'the secret plan' } });
  });
});

describe('a request id', () => {
  test('of the caller is taken over, in the answer and in the log', async () => {
    const response = await api.ask('/v1/things/1', { key: TOKEN, headers: { 'x-request-id': 'mine-1' } });
    expect(response.headers.get('x-request-id')).toBe('mine-1');
    await eventually(() => {
      expect(api.lines).toContainEqual(expect.objectContaining({ requestId: 'mine-1', route: '/v1/things/:id', status: 200, caller: 'administrator' }));
    });
  });

  test.each(['', 'two words', 'x'.repeat(129), '{"level":60}'])('%j is none, and a new one is made', async (given) => {
    const response = await api.ask('/v1/large', { headers: { 'x-request-id': given } });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('a page of another origin', () => {
  const preflight = (origin: string): Promise<Response> => api.ask('/v1/things/1', {
    method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' },
  });

  test('that is listed may call, with cookies, and read the headers that matter', async () => {
    const answer = await preflight(LISTED);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(LISTED);
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    expect(answer.headers.get('access-control-allow-methods')).toContain('GET');
    const { headers } = await api.ask('/v1/things/1', { key: TOKEN, headers: { origin: LISTED } });
    expect(headers.get('access-control-allow-origin')).toBe(LISTED);
    const exposed = headers.get('access-control-expose-headers')?.split(', ');
    expect(exposed).toEqual(expect.arrayContaining(['x-request-id', 'etag', 'link', 'retry-after', 'idempotent-replayed', 'cache-status']));
  });

  test('that is not listed is allowed nothing', async () => {
    expect((await preflight('https://evil.example.com')).headers.get('access-control-allow-origin')).toBeNull();
    const { headers } = await api.ask('/v1/things/1', { key: TOKEN, headers: { origin: 'https://evil.example.com' } });
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('vary')?.toLowerCase()).toContain('origin');
    expect((await api.ask('/v1/tagged')).headers.get('vary')).toContain('origin');
  });
});

describe('an answer', () => {
  test.each(['gzip', 'br'])('is compressed with %s for whoever takes that', async (encoding) => {
    const { headers } = await api.ask('/v1/large', { headers: { 'accept-encoding': encoding } });
    expect(headers.get('content-encoding')).toBe(encoding);
  });

  test('that is short, or for whoever takes no compression, is not', async () => {
    expect((await api.ask('/v1/large', { headers: { 'accept-encoding': 'identity' } })).headers.get('content-encoding')).toBeNull();
    expect((await api.ask('/v1/tagged', { headers: { 'accept-encoding': 'gzip' } })).headers.get('content-encoding')).toBeNull();
  });

  test('that must flush comes line by line', async () => {
    const response = await api.ask('/v1/stream');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toBe('{"line":1}\n');
    release();
    expect((await reader.read()).value).toBe('{"line":2}\n');
  });

  test('is not sent again to whoever has it', async () => {
    const tag = (await api.ask('/v1/tagged')).headers.get('etag')!;
    const again = await api.ask('/v1/tagged', { headers: { 'if-none-match': `"other", ${tag}` } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    expect((await api.ask('/v1/tagged', { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  test('tells browsers to be careful', async () => {
    const { headers } = await api.ask('/v1/large');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    // Whoever ends TLS says for how long, and for which hosts.
    expect(headers.get('strict-transport-security')).toBeNull();
    const { headers: ofAProblem } = await api.ask('/v1/nothing');
    expect(ofAProblem.get('x-content-type-options')).toBe('nosniff');
  });
});

test('a body may come compressed, and what it holds is bounded all the same', async () => {
  const send = (value: unknown): Promise<Response> => api.ask('/v1/things', {
    method: 'POST', body: gzipSync(JSON.stringify(value)), headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  });
  expect(await (await send([{ name: 'fine' }])).json()).toEqual({ count: 1 });
  expect((await send(Array.from({ length: 100_000 }, () => ({ name: 'bomb' })))).status).toBe(413);
});

test.each([
  ['no HTTP', 'GET / HTTP/1.1\r\nno colon\r\n\r\n', 400, 'invalid_request'],
  ['longer than headers may be', `GET /${'x'.repeat(40_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431, 'headers_too_large'],
])('what is %s is answered with a problem all the same', async (_what, text, status, code) => {
  const socket = connect(api.api.port, '127.0.0.1');
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(head).toContain(`content-type: ${PROBLEM_TYPE}`);
  const { requestId } = problemSchema.strict().parse(JSON.parse(body));
  expect(JSON.parse(body)).toMatchObject({ status, code });
  expect(head).toContain(`x-request-id: ${requestId}`);
});

describe('the document', () => {
  test('has every route with its scope and its problems', async () => {
    const document = (await (await api.ask('/v1/openapi.json')).json()) as { openapi: string; paths: Record<string, Record<string, unknown>> };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toContain('/v1/things/{id}');
    expect(document.paths['/v1/things/{id}']!.get).toMatchObject({ operationId: 'getThing', security: [{ bearer: [] }, { session: [] }] });
    expect(document.paths['/v1/things']!.post).toMatchObject({ security: [], responses: { 400: { content: { [PROBLEM_TYPE]: {} } } } });
    expect(JSON.stringify(document)).not.toContain('/v1/docs');
  });

  test.each(['/v1/docs', '/v1/docs/'])('has a page at %s that loads nothing from elsewhere', async (path) => {
    const page = await api.ask(path);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    const html = await page.text();
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => new URL(file!, page.url).pathname);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect([file, (await api.ask(file)).status]).toEqual([file, 200]);
    const initializer = await (await api.ask('/v1/docs/static/swagger-initializer.js')).text();
    expect(initializer).not.toContain('validator.swagger.io');
  });
});

describe('a route', () => {
  const start = async (routes: ApiRoutes): Promise<unknown> => startApi({ redisUrl: (await createRedis()).url, postgresUrl: 'postgres://nowhere' }, { routes: [routes] });

  test('without a scope does not start', async () => {
    await expect(start(async (app) => { app.get('/v1/x', { schema: described('x') }, () => 1); })).rejects.toThrow('a route without a scope');
  });

  test('that the document could say nothing of does not start', async () => {
    await expect(start(async (app) => { app.get('/v1/x', { config: { scope: 'read' } }, () => 1); })).rejects.toThrow('without operationId, summary, tags, response');
  });
});

describe('metrics', () => {
  test('count requests by route and status, and refusals by reason', async () => {
    await api.ask('/v1/things/1', { key: TOKEN });
    await api.ask('/v1/things/2', { key: TOKEN });
    await api.ask('/v1/things/3');
    await api.ask('/v1/nothing-like-this');
    const count = (labels: Record<string, string>): Promise<number> => api.metric('odograph_http_requests_total', labels);
    await eventually(async () => { expect(await count({ route: '/v1/things/:id', method: 'GET', status: '200' })).toBe(2); });
    expect(await count({ route: '/v1/things/:id', status: '401' })).toBe(1);
    expect(await count({ route: 'unmatched', status: '404' })).toBe(1);
    expect(await api.metric('odograph_http_auth_refusals_total', { reason: 'unauthenticated' })).toBe(1);
    expect(await api.metric('odograph_http_requests_in_flight')).toBe(0);
  });

  test('a client that goes is an aborted request, and is not in flight any more', async () => {
    const abort = new AbortController();
    const response = await api.ask('/v1/stream', { signal: abort.signal });
    expect(response.status).toBe(200);
    expect(await api.metric('odograph_http_requests_in_flight')).toBe(1);
    abort.abort();
    await eventually(async () => { expect(await api.metric('odograph_http_requests_total', { route: '/v1/stream', status: 'aborted' })).toBe(1); });
    expect(await api.metric('odograph_http_requests_in_flight')).toBe(0);
  });
});

describe('stopping', () => {
  test('answers what was begun, and takes nothing new in', async () => {
    const slow = api.ask('/v1/slow');
    await eventually(async () => { expect(await api.metric('odograph_http_requests_in_flight')).toBe(1); });
    const stopped = api.stop();
    await eventually(async () => { await expect(api.ask('/v1/large')).rejects.toThrow(); });
    release();
    expect(await (await slow).json()).toEqual({ done: true });
    await stopped;
  });

  test('does not wait longer than it has time for', async () => {
    const slow = api.ask('/v1/slow');
    const answered = expect(slow).rejects.toThrow();
    await eventually(async () => { expect(await api.metric('odograph_http_requests_in_flight')).toBe(1); });
    await api.api.stop(AbortSignal.timeout(50));
    await answered;
  });
});
