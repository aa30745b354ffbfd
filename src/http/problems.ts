/**
 * Every way in which the HTTP API says no: the one table. It yields the codes, the answers, the descriptions in the
 * OpenAPI document and those in `docs/errors.md`. A code, once published, keeps its meaning and its status.
 */

export interface ProblemKind {
  readonly status: number;
  /** The same for every occurrence; what is special to one stands in its `detail`. */
  readonly title: string;
  /** When it happens, and what the caller can do. */
  readonly doc: string;
}

export const PROBLEMS = {
  invalid_request: { status: 400, title: 'The request is not valid', doc: 'A parameter, a header or the body is not as documented; `errors` names each field. Mend the request.' },
  unauthenticated: { status: 401, title: 'No credential', doc: 'The route asks for a credential and the request has none. Send `Authorization: Bearer …`, or sign in.' },
  credential_refused: { status: 401, title: 'The credential is not good', doc: 'The key, token or session is unknown, revoked, expired, or of a user that is not active. Use another one.' },
  forbidden: { status: 403, title: 'Not allowed', doc: 'The credential is good, and does not reach this far: its scopes or its grants do not cover the request.' },
  origin_refused: { status: 403, title: 'Not from this page', doc: 'A request that changes something came with a cookie from a web page whose origin is not listed in API_ALLOWED_ORIGINS.' },
  no_such_route: { status: 404, title: 'Nothing here', doc: 'There is no such path. `/v1/openapi.json` lists what there is.' },
  not_found: { status: 404, title: 'Not found', doc: 'What the path names does not exist, or is not granted to the caller: the answer is the same.' },
  method_not_allowed: { status: 405, title: 'Not with this method', doc: 'The path is there, for other methods: `Allow` lists them.' },
  not_acceptable: { status: 406, title: 'No such form', doc: 'The answer does not come in any of the forms that the request accepts.' },
  request_timeout: { status: 408, title: 'The request came too slowly', doc: 'Headers and body were not complete in time, or a stream stalled. Of a stream `detail` says how many records are kept; send it again.' },
  conflict: { status: 409, title: 'Not at the same time', doc: 'The request contradicts another one or the present state; `detail` says how.' },
  idempotency_key_in_use: { status: 409, title: 'The first request is under way', doc: 'A request with this `Idempotency-Key` has not been answered yet. Send it again after `Retry-After` seconds: it gets the answer of the first.' },
  payload_too_large: { status: 413, title: 'Too large', doc: 'The body is longer than the route takes. Send it in parts.' },
  unsupported_media_type: { status: 415, title: 'Not in this form', doc: 'The route does not take a body of this `Content-Type` or `Content-Encoding`.' },
  unprocessable: { status: 422, title: 'Cannot be done', doc: 'The request is well-formed and cannot be carried out; `detail` says why.' },
  too_expensive: { status: 422, title: 'Too much at once', doc: 'The answer would take reading more rows than one request may. Narrow the range, or ask for steps.' },
  records_refused: { status: 422, title: 'No record was kept', doc: 'Every record of the request was refused, or some were under `Prefer: handling=strict`; `errors` names the first of them with their reasons. Nothing was appended. Mend them and send them again.' },
  idempotency_key_reused: { status: 422, title: 'Another request had this key', doc: 'The `Idempotency-Key` was used for a request with another body. Take a new key for a new request.' },
  rate_limited: { status: 429, title: 'Too many requests', doc: 'Wait for `Retry-After` seconds.' },
  login_locked: { status: 429, title: 'Too many failed logins', doc: 'Five logins from this address have failed within a minute. Wait for `Retry-After` seconds.' },
  headers_too_large: { status: 431, title: 'Headers too large', doc: 'The headers are longer than the server takes.' },
  client_gone: { status: 499, title: 'The client has gone', doc: 'The client has closed the connection before the answer was there. Nobody gets this answer; it is in the log and in the metrics.' },
  internal_error: { status: 500, title: 'Our fault', doc: 'A bug. The log has the details under the `requestId`.' },
  overloaded: { status: 503, title: 'Too busy', doc: 'What the request needs is at its limit. Nothing was done; try again after `Retry-After` seconds.' },
  unavailable: { status: 503, title: 'Not available', doc: 'What the request needs, the database or Redis, cannot be reached. Nothing was done; try again after `Retry-After` seconds.' },
  not_confirmed: { status: 503, title: 'Not known to be kept', doc: 'The records were not durable in time. Some of them may be kept all the same: send them again after `Retry-After` seconds, what comes twice is stored once.' },
  authority_unavailable: { status: 503, title: 'Who you are cannot be asked', doc: 'The authority that knows who may do what does not answer, and whatever is not known is refused. Try again after `Retry-After` seconds.' },
  stopping: { status: 503, title: 'Stopping', doc: 'This process is being stopped. Try again: another one answers.' },
  timeout: { status: 504, title: 'Took too long', doc: 'The answer was not there in time. Narrow the question, or try again.' },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

export const PROBLEM_CODES = Object.keys(PROBLEMS) as readonly ProblemCode[];
