/** That the judge of the fuzzer bites: each promise of the document, broken by a route that is made up for it. */
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { answerTo } from './answer.ts';
import { Judge } from './judge.ts';
import type { ApiDocument, Schema } from './operations.ts';
import { operationsOf } from './operations.ts';

const PROBLEM: Schema = {
  type: 'object', properties: { status: { type: 'integer' }, requestId: { type: 'string' } },
  required: ['status', 'requestId'], additionalProperties: false,
};

const DOCUMENT: ApiDocument = {
  paths: {
    '/thing': {
      get: {
        operationId: 'getThing',
        responses: {
          200: {
            content: {
              'application/json': { schema: { $ref: '#/components/schemas/Thing' } },
              'application/x-ndjson': { schema: { type: 'string' } }, 'text/csv': { schema: { type: 'string' } }, 'application/gpx+xml': { schema: { type: 'string' } },
            },
          },
          304: {},
          404: { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
          429: { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
        },
      },
    },
  },
  components: {
    schemas: {
      Problem: PROBLEM,
      Thing: { type: 'object', properties: { count: { type: 'integer' } }, required: ['count'], additionalProperties: false },
      ChosenPosition: { type: 'object', properties: { ts: { type: 'number' } }, required: ['ts'], additionalProperties: false },
    },
  },
};

async function verdictOf(listener: RequestListener, isKnown = true): Promise<string | null> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent();
  onTestFinished(() => {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  const [operation] = operationsOf(DOCUMENT);
  const request = { caller: 'somebody', method: 'GET', url: '/thing', headers: {}, body: null };
  const answer = await answerTo(request, (server.address() as AddressInfo).port, agent, {});
  return new Judge(DOCUMENT).verdict(operation!, answer, { isKnown });
}

interface Made {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Good, but for what is said. */
function answering({ status = 200, headers = {}, body = '{"count":1}' }: Made): RequestListener {
  const type = status < 400 ? 'application/json; charset=utf-8' : 'application/problem+json';
  return (_request, response) => {
    response.writeHead(status, { 'x-request-id': 'r', 'content-type': type, ...headers }).end(status === 304 ? undefined : body);
  };
}

const problem = (status: number, requestId = 'r'): string => JSON.stringify({ status, requestId });
const typed = (type: string): Readonly<Record<string, string>> => ({ 'content-type': type });

test.each<[string, Made]>([
  ['an answer of its schema', {}],
  ['one that is compressed', { headers: { 'content-encoding': 'gzip' }, body: gzipSync('{"count":1}') }],
  ['a documented problem', { status: 404, body: problem(404) }],
  ['one that says when to come again', { status: 429, headers: { 'retry-after': '3' }, body: problem(429) }],
  ['nothing, where nothing has changed', { status: 304 }],
  ['lines of JSON', { headers: typed('application/x-ndjson'), body: '{"ts":1}\n{"ts":2}\n' }],
  ['a table', { headers: typed('text/csv; header=present'), body: 'a,b\r\n1,"2,\n"\r\n' }],
])('lets %s pass', async (_what, made) => {
  expect(await verdictOf(answering(made))).toBeNull();
});

test.each<[string, Made, string]>([
  ['a status 500', { status: 500, body: problem(500) }, 'status 500'],
  ['a status 503', { status: 503, headers: { 'retry-after': '1' }, body: problem(503) }, 'status 503'],
  ['a status that is not documented', { status: 418, body: problem(418) }, 'not documented'],
  ['an answer outside its schema', { body: '{"count":"1"}' }, 'must be integer'],
  ['an answer with more than its schema has', { body: '{"count":1,"secret":2}' }, 'must NOT have additional properties'],
  ['JSON that is none', { body: '{"count":1' }, 'not JSON'],
  ['what is no UTF-8', { body: Buffer.from([0x22, 0xff, 0x22]) }, 'not UTF-8'],
  ['a media type that is not documented', { headers: typed('text/html') }, 'undocumented Content-Type text/html'],
  ['no request id', { headers: { 'x-request-id': '' } }, 'without X-Request-Id'],
  ['a problem that is none', { status: 404, headers: typed('application/json'), body: problem(404) }, 'undocumented Content-Type'],
  ['a problem with another status', { status: 404, body: problem(400) }, '400 in its problem'],
  ['a problem with another request id', { status: 404, body: problem(404, 'other') }, 'another request id'],
  ['no word of when to come again', { status: 429, body: problem(429) }, 'without Retry-After'],
  ['a line outside its schema', { headers: typed('application/x-ndjson'), body: '{"ts":1}\n{"ts":null}\n' }, 'must be number'],
  ['a line that is cut off', { headers: typed('application/x-ndjson'), body: '{"ts":1}\n{"ts":\n' }, 'not JSON'],
  ['a table with a short row', { headers: typed('text/csv'), body: 'a,b\r\n1\r\n' }, 'Invalid Record Length'],
  ['XML that does not end', { headers: typed('application/gpx+xml'), body: '<gpx><trk></gpx>' }, 'gpx'],
])('finds %s', async (_what, made, fault) => {
  expect(await verdictOf(answering(made))).toContain(fault);
});

test('finds an answer for nobody', async () => {
  expect(await verdictOf(answering({}), false)).toBe('status 200 for nobody');
});

test('finds a connection that ends before the answer', async () => {
  await expect(verdictOf((request) => { request.socket.destroy(); })).rejects.toThrow();
});
