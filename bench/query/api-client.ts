/** A client of the API that keeps its connections, as browsers do. Errors: any answer but 200, broken connections. */
import type { IncomingMessage } from 'node:http';
import { Agent, get } from 'node:http';
import { once } from 'node:events';

export interface Answer {
  /** From the request to the last byte of the answer, ms. */
  readonly ms: number;
  readonly bytes: number;
  /** It came out of the cache. */
  readonly isHit: boolean;
}

export class ApiClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 200 });
  readonly #port: number;
  readonly #token: string;

  constructor(port: number, token: string) {
    this.#port = port;
    this.#token = token;
  }

  /** @param encoding that the answer is to come in; absent: as it is */
  async ask(path: string, encoding?: 'br' | 'gzip'): Promise<Answer> {
    const startedAt = performance.now();
    const accepted = encoding === undefined ? {} : { 'accept-encoding': encoding };
    const headers = { authorization: `Bearer ${this.#token}`, ...accepted };
    const request = get({ host: '127.0.0.1', port: this.#port, path, agent: this.#agent, headers });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode} ${body.toString('utf8', 0, 500)}`);
    const isHit = response.headers['cache-status']?.includes('; hit') ?? false;
    return { ms: performance.now() - startedAt, bytes: body.length, isHit };
  }

  stop(): void {
    this.#agent.destroy();
  }
}
