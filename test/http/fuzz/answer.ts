/** Sends a request as it is, with whatever is odd in it, and reads the answer to its end. */
import type { Agent } from 'node:http';
import { request as begin } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { FuzzRequest } from './requests.ts';

export interface Answer {
  readonly status: number;
  /** Lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Decompressed. */
  readonly body: Buffer;
}

const TIMEOUT_MS = 20_000;

function unpacked(bytes: Buffer, encoding: string | undefined): Buffer {
  if (bytes.length === 0 || encoding === undefined || encoding === 'identity') return bytes;
  if (encoding === 'gzip') return gunzipSync(bytes);
  if (encoding === 'br') return brotliDecompressSync(bytes);
  throw new Error(`an answer with the Content-Encoding ${encoding}`);
}

/** @throws Error where no whole answer comes */
export async function answerTo(
  { method, url, headers, body }: FuzzRequest, port: number, agent: Agent, credential: Readonly<Record<string, string>>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const all = { ...(body === null ? {} : { 'content-length': String(body.length) }), ...headers, ...credential };
    const sent = begin({ host: '127.0.0.1', port, agent, method, path: url, headers: all, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => { chunks.push(chunk); });
      response.on('error', reject);
      response.on('end', () => {
        const flat = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(', ')]));
        const raw = Buffer.concat(chunks);
        try {
          resolve({ status: response.statusCode ?? 0, headers: flat, body: unpacked(raw, flat['content-encoding']) });
        } catch (error) {
          reject(new Error(`an answer that cannot be decompressed: ${String(error)}`, { cause: error }));
        }
      });
    });
    sent.on('timeout', () => { sent.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)); });
    sent.on('error', reject);
    sent.end(body);
  });
}
