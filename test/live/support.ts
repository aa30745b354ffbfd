/** Live servers of a test's own, and viewers that connect to them. All of it ends with the test. */
import type { ClientOptions } from 'ws';
import { WebSocket } from 'ws';
import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { Authority } from '../../src/auth/authority.ts';
import type { AuthorityEvents } from '../../src/auth/events.ts';
import { localProvider } from '../../src/auth/local/provider.ts';
import type { AuthProvider } from '../../src/auth/provider.ts';
import { prepareDatabase } from '../../src/db/schema.ts';
import { createPool } from '../../src/db/pool.ts';
import type { Live } from '../../src/live/live.ts';
import { createLive } from '../../src/live/live.ts';
import type { ServerMessageType } from '../../src/live/messages/protocol.ts';
import { serverMessages } from '../../src/live/messages/protocol.ts';
import { connectRedis } from '../../src/shared/redis.ts';
import type { LogLine, Overrides, Site } from '../core/support.ts';
import { metric, openSite, recordingLogger, settingsOf } from '../core/support.ts';
import { eventually } from '../support/eventually.ts';

export const TOKEN = 'token-of-the-administrator';

/** As in production, but impatient. */
const FAST = {
  LIVE_WS_HOST: '127.0.0.1',
  LIVE_WS_PORT: '0',
  API_PORT: '0',
  LIVE_BROADCAST_BATCH_BLOCK_MS: '50',
  LIVE_DEVICE_EVENT_REFRESH_MS: '60000',
};

export interface TestLive {
  readonly live: Live;
  readonly site: Site;
  /** `ws://…/live` */
  readonly url: string;
  /** `http://…` without a path. */
  readonly httpUrl: string;
  readonly registry: Registry;
  readonly lines: readonly LogLine[];
  readonly pool: Pool;
  /** The sum of a metric over all series that have these labels. */
  metric(name: string, labels?: Overrides): Promise<number>;
  stop(): Promise<void>;
}

export interface LiveTestOptions {
  readonly overrides?: Overrides;
  readonly provider?: (events: AuthorityEvents, settings: ReturnType<typeof settingsOf>) => AuthProvider;
}

/** An empty stream, and a database with the tables and nothing in them. */
export async function openPreparedSite(urls: Partial<Pick<Site, 'redisUrl' | 'postgresUrl'>> = {}): Promise<Site> {
  const site = await openSite(urls);
  await prepareDatabase(site.pool, settingsOf(site), recordingLogger().log);
  return site;
}

export function prepareLive(site: Site, options: LiveTestOptions = {}): Omit<TestLive, 'url' | 'httpUrl'> {
  const settings = settingsOf(site, { ...FAST, ...options.overrides });
  const { log, lines } = recordingLogger();
  const registry = new Registry();
  const redis = connectRedis(site.redisUrl, { name: 'live', commandTimeoutMs: 5_000, onError: () => undefined });
  onTestFinished(() => { redis.disconnect(); });
  const limits = { POSTGRES_POOL_SIZE: 4, POSTGRES_STATEMENT_TIMEOUT_MS: settings.LIVE_SNAPSHOT_TIMEOUT_MS };
  const pool = createPool({ ...settings, ...limits }, site.postgresUrl, 'live', () => undefined);
  const provider = (events: AuthorityEvents): AuthProvider =>
    options.provider?.(events, settings) ?? localProvider(TOKEN);
  const authority = new Authority({ settings, registry, log, provider });
  const live = createLive({ settings, redisUrl: site.redisUrl, redis, pool, authority, registry, log });
  let stopping: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await live.stop();
    authority.stop();
    await pool.end();
  };
  const stop = (): Promise<void> => (stopping ??= end());
  onTestFinished(stop);
  return { live, site, registry, lines, pool, stop, metric: (name, labels) => metric(registry, name, labels) };
}

export async function startLive(site: Site, options: LiveTestOptions = {}): Promise<TestLive> {
  const prepared = prepareLive(site, options);
  await prepared.live.start();
  const address = `127.0.0.1:${prepared.live.port}`;
  return { ...prepared, url: `ws://${address}/live`, httpUrl: `http://${address}` };
}

export interface ReceivedPosition {
  readonly deviceId: string;
  readonly ts: number;
  readonly receivedAt: number;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly eventId: number;
  readonly speed: number | null;
  readonly valid: boolean;
  readonly fixTs?: number | null;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Any message of the server, with the fields that its type has. */
export interface Received {
  readonly type: string;
  readonly topic?: string;
  readonly ref?: string;
  readonly code?: string;
  readonly message?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly id?: string;
  readonly resumed?: boolean;
  readonly deviceId?: string;
  readonly expiresAt?: number | null;
  readonly position?: ReceivedPosition;
  readonly snapshot?: readonly ReceivedPosition[];
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** Messages in the order they came in. */
class Inbox {
  readonly received: Received[] = [];
  #taken = 0;

  /** @throws ZodError for a message that the protocol does not have as it is */
  protected take(text: string): void {
    const message = JSON.parse(text) as Received;
    serverMessages[message.type as ServerMessageType].strict().parse(message);
    this.received.push(message);
  }

  /** The first message of the type that was not taken yet; everything before it counts as taken. */
  async next(type: string, timeoutMs = 10_000): Promise<Received> {
    return eventually(() => {
      const at = this.received.findIndex((message, index) => index >= this.#taken && message.type === type);
      if (at < 0) throw new Error(`no ${type}; ${this.#last()}`);
      this.#taken = at + 1;
      return this.received[at]!;
    }, { timeoutMs });
  }

  /** The first message with this ref. */
  async answer(ref: string): Promise<Received> {
    return eventually(() => {
      const found = this.received.find((message) => message.ref === ref);
      if (found === undefined) throw new Error(`no answer; ${this.#last()}`);
      return found;
    });
  }

  positions(topic?: string): ReceivedPosition[] {
    return this.received.flatMap((message) =>
      (message.type === 'position' && (topic ?? message.topic) === message.topic ? [message.position!] : []));
  }

  #last(): string {
    return `the last were ${JSON.stringify(this.received.slice(-3)).slice(0, 500)}`;
  }
}

export class TestViewer extends Inbox {
  readonly socket: WebSocket;
  readonly closed: Promise<Closed>;

  constructor(socket: WebSocket) {
    super();
    this.socket = socket;
    socket.on('message', (data: Buffer) => { this.take(data.toString()); });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => { resolve({ code, reason: reason.toString() }); });
    });
    socket.on('error', () => undefined);
    onTestFinished(() => { socket.terminate(); });
  }

  send(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  async subscribe(topic: string, more: object = {}): Promise<Received> {
    const ref = String(Math.random());
    this.send({ type: 'subscribe', topic, ref, ...more });
    return this.answer(ref);
  }

  /** Everything that was sent before has arrived when this resolves. */
  async roundTrip(): Promise<void> {
    const ref = `round-trip-${Math.random()}`;
    this.send({ type: 'ping', ref });
    await this.answer(ref);
  }
}

/** Connects without waiting for anything; rejects where the upgrade is refused, with its status. */
export async function connect(url: string, options: ClientOptions = {}): Promise<TestViewer> {
  const socket = new WebSocket(url, options);
  const viewer = new TestViewer(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
    socket.once('unexpected-response', (_request, response) => {
      reject(new Error(`status ${response.statusCode}`));
      response.destroy();
    });
  });
  return viewer;
}

/** Connects and signs in with a message. @throws Error where that is refused */
export async function signedIn(url: string, token = TOKEN): Promise<TestViewer> {
  const viewer = await connect(url);
  viewer.send({ type: 'auth', access_token: token, ref: 'sign-in' });
  const { type, code } = await viewer.answer('sign-in');
  if (type === 'auth') return viewer;
  viewer.socket.terminate();
  throw new Error(`cannot sign in: ${code}`);
}

/** A viewer over server-sent events, read as a browser reads them. */
export class TestEvents extends Inbox {
  readonly #abort = new AbortController();
  lastEventId = '';
  comments = 0;
  isEnded = false;

  async open(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
    const response = await fetch(url, { headers, signal: this.#abort.signal });
    onTestFinished(() => { this.close(); });
    return response;
  }

  async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const chunk of body) {
        text += decoder.decode(chunk, { stream: true });
        const blocks = text.split('\n\n');
        text = blocks.pop()!;
        for (const block of blocks) this.#take(block);
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) throw error;
    }
    this.isEnded = true;
  }

  close(): void {
    this.#abort.abort();
  }

  #take(block: string): void {
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) this.comments += 1;
      const [, field, value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? [];
      if (field === 'id') this.lastEventId = value;
      if (field === 'data') this.take(value);
    }
  }
}

/** @throws Error with the status where the answer is no event stream */
export async function openEvents(url: string, headers: Readonly<Record<string, string>> = {}): Promise<TestEvents> {
  const events = new TestEvents();
  const response = await events.open(url, headers);
  if (response.status !== 200 || response.body === null) throw new Error(`status ${response.status}: ${await response.text()}`);
  void events.read(response.body);
  return events;
}
