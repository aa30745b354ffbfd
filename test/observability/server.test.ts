import { once } from 'node:events';
import { connect } from 'node:net';
import { Counter } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRegistry } from '../../src/observability/metrics/registry.ts';
import type { Registry } from '../../src/observability/metrics/registry.ts';
import type { Readiness } from '../../src/observability/readiness.ts';
import type { OperationsServer } from '../../src/observability/server.ts';
import { startOperationsServer } from '../../src/observability/server.ts';

let readiness: () => Promise<Readiness>;
let registry: Registry;
let server: OperationsServer;

beforeEach(async () => {
  readiness = () => Promise.resolve({ ready: true, checks: { redis: 'ok' } });
  registry = createRegistry();
  server = await startOperationsServer({ host: '127.0.0.1', port: 0, registry, readiness: () => readiness() });
});

afterEach(async () => {
  await server.stop();
});

function get(path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.port}${path}`);
}

/** The status line that a raw request gets. */
async function statusOf(request: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  socket.end(request);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString().split('\r\n')[0]!;
}

describe('the operations port', () => {
  it('serves the metrics, ours and those of Node', async () => {
    new Counter({ registers: [registry], name: 'odograph_test_total', help: 'x' }).inc(3);
    const response = await get('/metrics');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=/);
    const text = await response.text();
    expect(text).toContain('\nodograph_test_total 3\n');
    expect(text).toContain('process_resident_memory_bytes');
  });

  it('has each check among the metrics, as it is at the scrape', async () => {
    expect(await (await get('/metrics')).text()).toContain('\nodograph_ready{check="redis"} 1\n');
    readiness = () => Promise.resolve({ ready: false, checks: { redis: 'down', core: 'ok' } });
    const text = await (await get('/metrics')).text();
    expect(text).toContain('\nodograph_ready{check="redis"} 0\n');
    expect(text).toContain('\nodograph_ready{check="core"} 1\n');
  });

  it('says that the process runs, whatever is ready', async () => {
    readiness = () => Promise.resolve({ ready: false, checks: { redis: 'down' } });
    const response = await get('/healthz');
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('says ready with 200 and each check', async () => {
    const response = await get('/readyz');
    expect([response.status, await response.json()]).toEqual([200, { status: 'ready', checks: { redis: 'ok' } }]);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('says not ready with 503 and what is wrong', async () => {
    readiness = () => Promise.resolve({ ready: false, checks: { redis: 'Redis is reconnecting', ingest: 'ok' } });
    const response = await get('/readyz');
    expect([response.status, await response.json()]).toEqual([
      503, { status: 'not ready', checks: { redis: 'Redis is reconnecting', ingest: 'ok' } },
    ]);
  });

  it('has nothing elsewhere, and says what there is', async () => {
    const response = await get('/nothing?here');
    expect([response.status, await response.json()]).toEqual([
      404, { error: 'nothing at /nothing', paths: ['/metrics', '/healthz', '/readyz'] },
    ]);
  });

  it('takes a query for no part of the path', async () => {
    expect((await get('/healthz?probe=1')).status).toBe(200);
  });

  it('answers what fails with 500', async () => {
    readiness = () => Promise.reject(new Error('a bug'));
    const response = await get('/readyz');
    expect([response.status, await response.json()]).toEqual([500, { error: 'a bug' }]);
  });

  it.each(['//', '//[', 'http://[', '/%', '*', 'http://other.example/healthz'])('outlives a request for %s', async (target) => {
    expect(await statusOf(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 (404|200)/);
    expect((await get('/healthz')).status).toBe(200);
  });

  it('stops with connections open, and more than once', async () => {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    await Promise.all([server.stop(), once(socket, 'close')]);
    await server.stop();
  });

  it('cannot start on a port that is taken', async () => {
    const options = { host: '127.0.0.1', port: server.port, registry, readiness: () => readiness() };
    await expect(startOperationsServer(options)).rejects.toThrow('EADDRINUSE');
  });
});
