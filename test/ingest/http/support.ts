/** The write route over real HTTP, with callers that a test names. All of it ends with the test. */
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { expect, onTestFinished } from 'vitest';
import { FULL_ACCESS } from '../../../src/auth/access.ts';
import { loadSettings } from '../../../src/config/load.ts';
import type { Callers } from '../../../src/http/authentication.ts';
import type { Caller } from '../../../src/http/caller.ts';
import { createApplication } from '../../../src/http/application.ts';
import { createHttpEvents } from '../../../src/http/events.ts';
import type { WriteReport } from '../../../src/ingest/http/report.ts';
import { createHttpMetrics } from '../../../src/observability/metrics/http.ts';
import { Registry } from '../../../src/observability/metrics/registry.ts';
import type { Labels, TestIngest } from '../support.ts';
import { prepareIngest } from '../support.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** A report or a problem. */
  readonly body: WriteReport & { readonly code: string; readonly detail: string; readonly requestId: string };
}

export type Post = (
  body: unknown, options?: { readonly headers?: Labels; readonly key?: string; readonly signal?: AbortSignal },
) => Promise<Answer>;

export interface WriteApi {
  readonly ingest: TestIngest;
  readonly port: number;
  readonly url: string;
  /** A string, bytes or a stream as they are; anything else as JSON. */
  readonly post: Post;
}

/** By the key that they present. `write` may write for devices that begin with `own-`, the others for any. */
const CALLERS: Readonly<Record<string, Caller>> = {
  admin: { id: 'admin', role: 'admin', scopes: FULL_ACCESS.scopes, visibility: { kind: 'all' }, expiresAt: null, mayWrite: () => true },
  writer: { id: 'writer', role: 'editor', scopes: new Set(['write']), visibility: { kind: 'all' }, expiresAt: null, mayWrite: () => true },
  own: { id: 'own', role: 'editor', scopes: new Set(['write']), visibility: { kind: 'all' }, expiresAt: null, mayWrite: (id) => id.startsWith('own-') },
  reader: { id: 'reader', role: 'viewer', scopes: new Set(['read']), visibility: { kind: 'all' }, expiresAt: null, mayWrite: () => false },
};

const callers: Callers = {
  callerOf: async ({ headers }) => CALLERS[headers.authorization?.slice('Bearer '.length) ?? ''] ?? null,
};

const API_SETTINGS = { API_PORT: '0', API_HOST: '127.0.0.1' };

function bodyOf(body: unknown): NonNullable<RequestInit['body']> {
  if (typeof body === 'string' || body instanceof ReadableStream) return body;
  return body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body);
}

export async function startWriteApi(redisUrl: string, settings: Labels = {}): Promise<WriteApi> {
  const ingest = prepareIngest(redisUrl, { INGEST_LISTENERS: 'teltonika:0', ...settings });
  await ingest.start();
  const loaded = loadSettings({ REDIS_URL: redisUrl, ...API_SETTINGS, ...settings });
  const events = createHttpEvents(createHttpMetrics(new Registry()));
  const log = pino({ level: 'silent' });
  const { app } = await createApplication({ settings: loaded, log, events, callers, routes: [ingest.routes] });
  await app.listen({ port: loaded.API_PORT, host: loaded.API_HOST });
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/v1/records`;
  const post: Post = async (body, { headers = {}, key = 'writer', signal } = {}) => {
    const response = await fetch(url, {
      method: 'POST', body: bodyOf(body), duplex: 'half', ...(signal && { signal }),
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) as Answer['body'] };
  };
  return { ingest, port, url, post };
}

let devices = 0;

/** A device that no other test has. */
export function newDevice(prefix = 'device'): string {
  devices += 1;
  return `${prefix}-${process.pid}-${devices}`;
}

export const NDJSON = { 'content-type': 'application/x-ndjson' };

/** Records a second apart, the last one now. */
export function recordsFor(deviceId: string, count: number, more: object = {}): Record<string, unknown>[] {
  const last = Date.now();
  return Array.from({ length: count }, (_, index) => ({
    deviceId, ts: last - (count - 1 - index) * 1_000, latitude: 54.7, longitude: 25.3, speed: 40, ...more,
  }));
}

export function lines(records: readonly unknown[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

export function expectStatus(answer: Answer, status: number): void {
  expect(answer.status, answer.text.slice(0, 500)).toBe(status);
}
