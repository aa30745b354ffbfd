/**
 * Requests to Directus in the name of a caller: never without a credential, so never as Directus's anonymous Public
 * role. A bounded number runs at once, the others wait their turn; who would wait too long is turned away at once, so
 * that an overload does not end in everybody's time-out. After several failures in a row Directus is left alone for a
 * moment. Throws `DirectusUnavailable` where no answer came that says anything about the caller: no connection, no
 * answer in time, an overload (429, 503), or something that is not Directus.
 */
import { ConsecutiveBreaker, bulkhead, circuitBreaker, handleAll, wrap } from 'cockatiel';
import { z } from 'zod';
import { errorMessage } from '../../shared/errors.ts';
import { HttpExchange } from './exchange.ts';

export class DirectusUnavailable extends Error {
  override readonly name = 'DirectusUnavailable';
}

export interface DirectusRequest {
  /** SEARCH is a GET with a body, which Directus never answers from its cache. */
  readonly method: 'GET' | 'SEARCH';
  /** With its query, without the base URL. */
  readonly path: string;
  readonly body?: unknown;
  readonly token: string;
  /** Address of the caller, for policies with IP rules and Directus's rate limit. */
  readonly address: string;
  readonly timeoutMs: number;
}

/** What Directus said about the request. */
export type DirectusAnswer =
  | { readonly kind: 'data'; readonly data: unknown }
  | { readonly kind: 'dead_credential'; readonly code: string }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'invalid_query' };

/** What became of a request; one that was turned away was never sent. */
export type OnDirectusRequest = (
  result: DirectusAnswer['kind'] | 'unavailable' | 'turned_away',
  durationMs: number,
) => void;

const FAILURES_TO_OPEN = 5;
const OPEN_MS = 2_000;
/** More than ever wait: who would wait too long is turned away before. */
const QUEUE_LIMIT = 100_000;
/** The part of the time-out after which it is too late to begin. */
const LATEST_START = 0.6;
/** Weight of the last request in the running mean of their durations. */
const SMOOTHING = 0.05;

const errorBody = z.object({ errors: z.array(z.object({ extensions: z.object({ code: z.string() }) })).min(1) });
const dataBody = z.object({ data: z.unknown() });

/** A dead credential is told by its code: 403 is FORBIDDEN for a good one and INVALID_TOKEN for a bad one. */
const DEAD_CODES = new Set(['INVALID_CREDENTIALS', 'TOKEN_EXPIRED', 'INVALID_TOKEN', 'USER_SUSPENDED']);

function interpret(status: number, body: unknown): DirectusAnswer {
  const success = status === 200 ? dataBody.safeParse(body) : undefined;
  if (success?.success === true) return { kind: 'data', data: success.data.data };
  const code = errorBody.safeParse(body).data?.errors[0]?.extensions.code ?? '';
  if (DEAD_CODES.has(code) || status === 401) return { kind: 'dead_credential', code };
  if (status === 403 && code === 'FORBIDDEN') return { kind: 'forbidden' };
  if (status === 400 && code === 'INVALID_QUERY') return { kind: 'invalid_query' };
  throw new DirectusUnavailable(`Directus answered ${status} ${code}`.trim());
}

export class DirectusClient {
  readonly #baseUrl: string;
  readonly #onRequest: OnDirectusRequest;
  readonly #concurrency: number;
  readonly #http: HttpExchange;
  readonly #turns;
  readonly #policy;
  /** Running mean of how long a request takes, its turn not included; milliseconds. */
  #durationMs = 10;

  /** @param concurrency most requests at once */
  constructor(baseUrl: string, concurrency: number, onRequest: OnDirectusRequest) {
    this.#baseUrl = baseUrl.replace(/\/+$/, '');
    this.#onRequest = onRequest;
    const whenItFails = { halfOpenAfter: OPEN_MS, breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN) };
    this.#concurrency = concurrency;
    this.#http = new HttpExchange(concurrency);
    this.#turns = bulkhead(concurrency, QUEUE_LIMIT);
    this.#policy = wrap(this.#turns, circuitBreaker(handleAll, whenItFails));
  }

  /** @throws DirectusUnavailable */
  async ask(request: DirectusRequest): Promise<DirectusAnswer> {
    this.#turnAwayIfLate(request.timeoutMs);
    const startedAt = performance.now();
    // Not `AbortSignal.timeout`, which keeps what hangs on it until the time is over.
    const overdue = new AbortController();
    const timer = setTimeout(() => { overdue.abort(new Error('overdue')); }, request.timeoutMs);
    try {
      const answer = await this.#inTime(request, overdue.signal);
      this.#onRequest(answer.kind, performance.now() - startedAt);
      return answer;
    } catch (error) {
      this.#onRequest('unavailable', performance.now() - startedAt);
      if (error instanceof DirectusUnavailable) throw error;
      const reason = overdue.signal.aborted ? `no answer within ${request.timeoutMs} ms` : errorMessage(error);
      throw new DirectusUnavailable(reason, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  #turnAwayIfLate(timeoutMs: number): void {
    const before = QUEUE_LIMIT - this.#turns.queueSlots;
    if ((before * this.#durationMs) / this.#concurrency <= timeoutMs * LATEST_START) return;
    this.#onRequest('turned_away', 0);
    throw new DirectusUnavailable(`${before} requests wait for Directus already`);
  }

  /** One that waits for its turn is left in the queue when its time is over, and dropped when its turn comes. */
  async #inTime(request: DirectusRequest, signal: AbortSignal): Promise<DirectusAnswer> {
    const { promise: overdue, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => { reject(signal.reason as Error); };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([this.#policy.execute(() => this.#exchange(request, signal), signal), overdue]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #exchange(request: DirectusRequest, signal: AbortSignal): Promise<DirectusAnswer> {
    const { method, path, body, token, address } = request;
    const startedAt = performance.now();
    try {
      const { status, text } = await this.#http.send({
        method,
        url: new URL(`${this.#baseUrl}${path}`),
        signal,
        headers: {
          authorization: `Bearer ${token}`,
          // Set, never appended to: Directus takes the first address for the caller's.
          'x-forwarded-for': address,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      return interpret(status, parseJson(text));
    } finally {
      this.#durationMs += SMOOTHING * (performance.now() - startedAt - this.#durationMs);
    }
  }

  /** Closes the connections. */
  stop(): void {
    this.#http.stop();
  }
}

/** undefined: what answers is no Directus, or an overloaded one whose proxy answers for it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
