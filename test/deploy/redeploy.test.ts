/** `.gitea/redeploy.mjs` against a Portainer and an Odograph that remember what they were asked. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { REPOSITORY } from './files.ts';

interface Outcome {
  readonly code: number;
  readonly output: string;
}

const STACK = {
  EndpointId: 3,
  Env: [{ name: 'POSTGRES_PASSWORD', value: 'kept' }, { name: 'ODOGRAPH_TAG', value: 'old' }],
  GitConfig: { ReferenceName: 'refs/heads/main', Authentication: { Username: 'robot' } },
};

let server: Server;
let base: string;
let asked: { request: string; key: string | undefined; body: string }[];
let started: number;
let status: number;

function answer(request: IncomingMessage): string {
  if (request.url === '/metrics') return `process_start_time_seconds ${started}\n`;
  if (request.url === '/readyz') return '{"status":"ready"}';
  if (request.method === 'GET') return JSON.stringify(STACK);
  started += 1;
  return '';
}

beforeEach(async () => {
  [asked, started, status] = [[], 1_700_000_000, 200];
  server = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push({ request: `${request.method} ${request.url}`, key: request.headers['x-api-key'] as string | undefined, body });
      response.writeHead(status).end(answer(request));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function redeploy(env: Readonly<Record<string, string>>): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(REPOSITORY, '.gitea/redeploy.mjs')], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

it('posts to the webhook with the tag', async () => {
  const { code } = await redeploy({ ODOGRAPH_TAG: '1.2.3', PORTAINER_WEBHOOK: `${base}/api/stacks/webhooks/secret` });
  expect(code).toBe(0);
  expect(asked.map(({ request }) => request)).toEqual(['POST /api/stacks/webhooks/secret?ODOGRAPH_TAG=1.2.3']);
});

it('changes the tag and keeps the other variables where there is no webhook', async () => {
  const { code } = await redeploy({
    ODOGRAPH_TAG: '1.2.3', PORTAINER_URL: `${base}/`, PORTAINER_STACK_ID: '8', PORTAINER_API_KEY: 'key',
  });
  expect(code).toBe(0);
  expect(asked.map(({ request, key }) => [request, key])).toEqual([
    ['GET /api/stacks/8', 'key'],
    ['PUT /api/stacks/8/git/redeploy?endpointId=3', 'key'],
  ]);
  expect(JSON.parse(asked[1]!.body)).toMatchObject({
    Env: [{ name: 'POSTGRES_PASSWORD', value: 'kept' }, { name: 'ODOGRAPH_TAG', value: '1.2.3' }],
    RepositoryReferenceName: 'refs/heads/main',
    RepositoryAuthentication: true,
    RepositoryUsername: 'robot',
    RepullImageAndRedeploy: true,
  });
});

it('waits for another process than before', async () => {
  const { code, output } = await redeploy({
    ODOGRAPH_TAG: '1.2.3', PORTAINER_WEBHOOK: `${base}/hook`, ODOGRAPH_METRICS_URL: base,
  });
  expect(output).toContain('the new process is ready');
  expect(code).toBe(0);
  expect(asked.map(({ request }) => request)).toEqual([
    'GET /readyz', 'GET /metrics', 'POST /hook?ODOGRAPH_TAG=1.2.3', 'GET /readyz', 'GET /metrics',
  ]);
});

it('fails when Portainer refuses, without printing the webhook', async () => {
  status = 403;
  const { code, output } = await redeploy({ ODOGRAPH_TAG: '1.2.3', PORTAINER_WEBHOOK: `${base}/secret-hook` });
  expect(code).toBe(1);
  expect(output).toContain('403');
  expect(output).not.toContain('secret-hook');
});

it('deploys nothing where Portainer is not set up', async () => {
  expect(await redeploy({ ODOGRAPH_TAG: '1.2.3' })).toEqual({ code: 0, output: 'Portainer is not set up: nothing is deployed\n' });
});
