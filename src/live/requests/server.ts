/**
 * The port of the live server: WebSocket at `/live`, server-sent events at `/live/sse`. Whoever may not connect is told
 * why in an HTTP answer; whoever may becomes a connection. A request is never left without an answer.
 */
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { credentialOf } from '../../auth/credentials.ts';
import type { AuthProvider } from '../../auth/provider.ts';
import type { Settings } from '../../config/settings.ts';
import { errorMessage } from '../../shared/errors.ts';
import { settledBy } from '../../shared/wait.ts';
import { addressOf } from './address.ts';
import { Admission } from './admission.ts';
import { Connection } from '../viewers/connection.ts';
import { EventStream } from '../viewers/event-stream.ts';
import { checkEventStream } from './event-stream-request.ts';
import type { LiveEvents } from '../events.ts';
import type { Hub } from '../hub.ts';
import { originProblem } from './origin.ts';
import type { LiveRequest, RejectedRequest } from './request.ts';
import { refuseRequest, refuseUpgrade, splitUrl } from './request.ts';

export interface LiveServerOptions {
  readonly settings: Settings;
  readonly provider: AuthProvider;
  readonly events: LiveEvents;
  /** null: not ready yet. */
  readonly hub: () => Hub | null;
}

/** The port of LIVE_WS_PORT cannot be had. */
export class LivePortError extends Error {
  override readonly name = 'LivePortError';

  constructor(port: number, cause: unknown) {
    super(`LIVE_WS_PORT: cannot listen on ${port}: ${errorMessage(cause)}`, { cause });
  }
}

const SOCKET_PATH = '/live';
const EVENTS_PATH = '/live/sse';
const HEADERS_TIMEOUT_MS = 10_000;
/** How long a client may take to answer a close; one that takes nothing is cut off then. */
const CLOSING = { closeTimeout: 5_000 };

const NOT_FOUND: RejectedRequest = { reason: 'not_found', message: `there is ${SOCKET_PATH} (WebSocket) and ${EVENTS_PATH} (server-sent events)` };
const UPGRADE_REQUIRED: RejectedRequest = { reason: 'upgrade_required', message: 'this is a WebSocket: connect with ws:// or wss://' };

const NOT_READY: RejectedRequest = { reason: 'not_ready', message: 'the live server is starting or stopping' };

function tooMany(message: string): RejectedRequest {
  return { reason: 'too_many_connections', message };
}

const CORS_HEADERS = {
  'access-control-allow-credentials': 'true',
  'access-control-allow-methods': 'GET',
  'access-control-allow-headers': 'authorization, last-event-id',
  'access-control-max-age': '600',
} as const;

/** As listener: it stays on the socket of a viewer, and would keep the request with it were it a closure. */
function destroySelf(this: Duplex): void {
  this.destroy();
}

export class LiveServer {
  readonly #options: LiveServerOptions;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  readonly #admission: Admission<Connection | EventStream>;
  /** One for all: each viewer has it as long as it is there. */
  readonly #onClosed = (closed: Connection | EventStream): void => { this.#admission.remove(closed); };
  #isStopping = false;

  constructor(options: LiveServerOptions) {
    const { settings } = options;
    this.#options = options;
    this.#admission = new Admission(settings);
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: settings.LIVE_WS_MAX_MESSAGE_BYTES,
      ...CLOSING,
    });
    const timeouts = { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: HEADERS_TIMEOUT_MS / 2 };
    this.#http = createServer(timeouts);
    this.#http.on('upgrade', (request, socket, head) => { this.#upgrade(request, socket, head); });
    this.#http.on('request', (request, response) => { this.#respond(request, response); });
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  /** @throws LivePortError when the port cannot be had */
  async listen(): Promise<void> {
    const { LIVE_WS_PORT: port, LIVE_WS_HOST: host } = this.#options.settings;
    this.#http.listen(port, host);
    await once(this.#http, 'listening').catch((error: unknown) => {
      throw new LivePortError(port, error);
    });
    this.#options.events.listening({ host, port: this.port });
  }

  /** Takes nobody in any more, says goodbye to everybody, and gives them until `deadline` to take it. */
  async stop(deadline: AbortSignal): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    if (!this.#http.listening) return;
    const closed = once(this.#http, 'close');
    this.#http.close();
    for (const connection of [...this.#admission.connections()]) connection.close('shutdown');
    this.#http.closeIdleConnections();
    await settledBy(deadline, closed);
    for (const connection of [...this.#admission.connections()]) connection.destroy();
    this.#http.closeAllConnections();
    await closed;
    this.#admission.stop();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // One that goes away while it is being answered.
    socket.on('error', destroySelf);
    const [path = '/', search = ''] = splitUrl(request.url);
    const admitted = path === SOCKET_PATH ? this.#check(request, search) : NOT_FOUND;
    if ('reason' in admitted) {
      this.#options.events.rejected(admitted.reason, addressOf(request, this.#options.settings.LIVE_PROXY_HOPS));
      refuseUpgrade(socket, admitted);
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { hub, address, credential } = admitted;
      const onClosed = this.#onClosed;
      const connection = new Connection({ hub, webSocket, socket, address, credential, onClosed });
      this.#admission.add(connection, address);
    });
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    const [path = '/', search = ''] = splitUrl(request.url);
    const isPreflight = request.method === 'OPTIONS';
    if (path !== EVENTS_PATH || (request.method !== 'GET' && !isPreflight)) {
      this.#reject(request, response, path === SOCKET_PATH ? UPGRADE_REQUIRED : NOT_FOUND);
      return;
    }
    this.#allowOrigin(request, response);
    if (isPreflight) {
      response.writeHead(204).end();
      return;
    }
    const admitted = this.#check(request, search);
    if ('reason' in admitted) this.#reject(request, response, admitted);
    else {
      this.#openEvents(request, response, admitted).catch((error: unknown) => {
        this.#options.events.connectionFailed(admitted.address, error);
        response.destroy();
      });
    }
  }

  /** Scripts of listed pages may read the events, and may send a bearer header for them. */
  #allowOrigin({ headers: { origin } }: IncomingMessage, response: ServerResponse): void {
    response.setHeader('vary', 'origin');
    if (origin === undefined || !this.#options.settings.LIVE_ALLOWED_ORIGINS.includes(origin)) return;
    for (const [name, value] of Object.entries(CORS_HEADERS)) response.setHeader(name, value);
    response.setHeader('access-control-allow-origin', origin);
  }

  async #openEvents(request: IncomingMessage, response: ServerResponse, admitted: LiveRequest): Promise<void> {
    const checked = await checkEventStream(admitted);
    const { hub, address } = admitted;
    if (response.destroyed) return;
    const full = this.#admission.refusalOf(address);
    if ('reason' in checked) this.#reject(request, response, checked);
    else if (full !== null) this.#reject(request, response, tooMany(full));
    else if (this.#isStopping) this.#reject(request, response, NOT_READY);
    else {
      const onClosed = this.#onClosed;
      const stream = new EventStream({ hub, response, address, onClosed });
      this.#admission.add(stream, address);
      const { 'last-event-id': lastEventId } = request.headers;
      await stream.start(checked.credential, checked.topics, typeof lastEventId === 'string' ? lastEventId : undefined);
    }
  }

  /** What a WebSocket and an event stream have in common. */
  #check(request: IncomingMessage, search: string): LiveRequest | RejectedRequest {
    const { settings, provider, hub } = this.#options;
    const query = new URLSearchParams(search);
    const address = addressOf(request, settings.LIVE_PROXY_HOPS);
    const credential = credentialOf({ headers: request.headers, query, address }, provider);
    const { origin, host } = request.headers;
    const hasCookie = credential?.kind === 'cookie';
    const problem = originProblem({ origin, host, hasCookie }, settings.LIVE_ALLOWED_ORIGINS);
    if (problem !== null) return { reason: 'origin', message: problem };
    if (credential?.kind === 'query' && !provider.takesQueryToken) {
      return { reason: 'bad_request', message: 'access_token: a token in the URL ends up in logs; send it as bearer header or as the first message' };
    }
    const full = this.#admission.refusalOf(address);
    if (full !== null) return tooMany(full);
    const ready = this.#isStopping ? null : hub();
    if (ready === null) return NOT_READY;
    return { hub: ready, query, address, credential };
  }

  #reject(request: IncomingMessage, response: ServerResponse, rejected: RejectedRequest): void {
    this.#options.events.rejected(rejected.reason, addressOf(request, this.#options.settings.LIVE_PROXY_HOPS));
    refuseRequest(response, rejected);
  }
}
