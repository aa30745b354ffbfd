/**
 * Requests to Directus in the name of a caller: never without a credential, so never as Directus's anonymous Public
 * role. A bounded number runs at once, the others wait their turn within their time-out; after several failures in a
 * row Directus is left alone for a moment. Throws `DirectusUnavailable` where no answer came that says anything about
 * the caller: no connection, no answer in time, an overload (429, 503), or something that is not Directus.
 */
import { ConsecutiveBreaker, bulkhead, circuitBreaker, handleAll, wrap } from 'cockatiel';
import { z } from 'zod';
import { errorMessage } from '../../shared/errors.ts';

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

/** `result` of a request: `data`, `dead_credential`, `forbidden`, `invalid_query`, `unavailable`. */
export type OnDirectusRequest = (result: DirectusAnswer['kind'] | 'unavailable', durationMs: number) => void;

const FAILURES_TO_OPEN = 5;
const OPEN_MS = 2_000;
const QUEUE_LIMIT = 20_000;

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

/** The cause of a failed fetch says more than the failure. */
function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? errorMessage(error.cause) : errorMessage(error);
}

/** A connection that Directus has closed, idle for five seconds, just as it was used again. */
function isStaleConnection(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && (cause.code === 'ECONNRESET' || cause.code === 'UND_ERR_SOCKET');
}

export class DirectusClient {
  readonly #baseUrl: string;
  readonly #onRequest: OnDirectusRequest;
  readonly #policy;

  /** @param concurrency most requests at once */
  constructor(baseUrl: string, concurrency: number, onRequest: OnDirectusRequest) {
    this.#baseUrl = baseUrl.replace(/\/+$/, '');
    this.#onRequest = onRequest;
    const whenItFails = { halfOpenAfter: OPEN_MS, breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN) };
    this.#policy = wrap(bulkhead(concurrency, QUEUE_LIMIT), circuitBreaker(handleAll, whenItFails));
  }

  /** @throws DirectusUnavailable */
  async ask(request: DirectusRequest): Promise<DirectusAnswer> {
    const startedAt = performance.now();
    const signal = AbortSignal.timeout(request.timeoutMs);
    try {
      const answer = await this.#inTime(request, signal);
      this.#onRequest(answer.kind, performance.now() - startedAt);
      return answer;
    } catch (error) {
      this.#onRequest('unavailable', performance.now() - startedAt);
      if (error instanceof DirectusUnavailable) throw error;
      throw new DirectusUnavailable(signal.aborted ? `no answer within ${request.timeoutMs} ms` : reasonOf(error), { cause: error });
    }
  }

  /** One that waits for its turn is left in the queue when its time is over, and dropped when its turn comes. */
  async #inTime(request: DirectusRequest, signal: AbortSignal): Promise<DirectusAnswer> {
    const { promise: overdue, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => { reject(signal.reason as Error); };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([this.#policy.execute(() => this.#fetchAgain(request, signal), signal), overdue]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #fetchAgain(request: DirectusRequest, signal: AbortSignal): Promise<DirectusAnswer> {
    try {
      return await this.#fetch(request, signal);
    } catch (error) {
      if (!isStaleConnection(error)) throw error;
      return this.#fetch(request, signal);
    }
  }

  async #fetch({ method, path, body, token, address }: DirectusRequest, signal: AbortSignal): Promise<DirectusAnswer> {
    const response = await fetch(`${this.#baseUrl}${path}`, {
      method,
      signal,
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${token}`,
        // Set, never appended to: Directus takes the first address for the caller's.
        'x-forwarded-for': address,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return interpret(response.status, parseJson(text));
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
