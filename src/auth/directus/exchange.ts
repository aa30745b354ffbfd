/**
 * One HTTP request and its answer, over connections that are kept. Node's own client and not `fetch`: at some hundred
 * requests a second what a fetch leaves behind outlives several collections, and costs a live server 10 KiB of memory
 * for each viewer.
 */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request as requestOverTcp } from 'node:http';
import { Agent as TlsAgent, request as requestOverTls } from 'node:https';

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/** A connection that the server has closed, being idle, just as it was used again. */
function isStale(error: unknown, isReused: boolean): boolean {
  return isReused && error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
}

export class HttpExchange {
  readonly #tcp: Agent;
  readonly #tls: TlsAgent;

  /** @param connections most at once */
  constructor(connections: number) {
    const options = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections };
    this.#tcp = new Agent(options);
    this.#tls = new TlsAgent(options);
  }

  /** Follows no redirect. @throws Error of the connection, which the signal ends too */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const isTls = request.url.protocol === 'https:';
    const { method, headers, signal, url, body } = request;
    const options = { method, headers, signal, agent: isTls ? this.#tls : this.#tcp };
    const sent = isTls ? requestOverTls(url, options) : requestOverTcp(url, options);
    sent.end(body);
    try {
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      return { status: response.statusCode ?? 0, text: await textOf(response) };
    } catch (error) {
      if (!isStale(error, sent.reusedSocket)) throw error;
      return await this.send(request);
    }
  }

  /** Closes the connections. */
  stop(): void {
    this.#tcp.destroy();
    this.#tls.destroy();
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
