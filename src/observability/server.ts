/**
 * The operations port: `/metrics` (Prometheus text), `/healthz` (the process runs) and `/readyz` (what its roles need
 * is there: 200, otherwise 503, with the state of each check as JSON; the same as a metric).
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { Registry } from 'prom-client';
import { errorMessage } from '../shared/errors.ts';
import { createProcessMetrics } from './metrics/process.ts';
import type { ReadinessChecks } from './readiness.ts';

export interface OperationsServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** The port of METRICS_PORT cannot be had. */
export class OperationsPortError extends Error {
  override readonly name = 'OperationsPortError';

  constructor(port: number, cause: unknown) {
    super(`METRICS_PORT: cannot listen on ${port}: ${errorMessage(cause)}`, { cause });
  }
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify(value)}\n` };
}

async function answer(path: string, registry: Registry, readiness: ReadinessChecks): Promise<Answer> {
  switch (path) {
    case '/metrics':
      return { status: 200, type: registry.contentType, body: await registry.metrics() };
    case '/healthz':
      return json(200, { status: 'ok' });
    case '/readyz': {
      const { ready, checks } = await readiness();
      return json(ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', checks });
    }
    default:
      return json(404, { error: `nothing at ${path}`, paths: ['/metrics', '/healthz', '/readyz'] });
  }
}

/** Listens; 0 takes a free port. @throws when the port cannot be had. */
export async function startOperationsServer(options: {
  host: string;
  port: number;
  registry: Registry;
  readiness: ReadinessChecks;
}): Promise<OperationsServer> {
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // Not `new URL`: it throws for what anybody can ask for, such as `GET //`.
    const [path] = (request.url ?? '/').split('?', 1);
    const result = await answer(path ?? '/', options.registry, options.readiness).catch((error: unknown) =>
      json(500, { error: errorMessage(error) }),
    );
    response.writeHead(result.status, { 'content-type': result.type, 'cache-control': 'no-store' }).end(result.body);
  };
  const server = createServer((request, response) => void respond(request, response));
  server.listen(options.port, options.host);
  await once(server, 'listening').catch((error: unknown) => {
    throw new OperationsPortError(options.port, error);
  });
  createProcessMetrics(options.registry, options.readiness);
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
