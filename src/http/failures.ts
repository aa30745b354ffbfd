/**
 * From whatever ends a request without an answer to the problem that its caller is told. What is not foreseen is our
 * fault: it is logged with all that is known, and the caller learns nothing but the request id.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { HttpEvents } from './events.ts';
import { PROBLEM_TYPE, Problem, problemBody } from './problem.ts';
import type { ProblemCode } from './problems.ts';
import { PROBLEMS } from './problems.ts';

/** What Fastify and its plugins refuse, where their own words are not for callers. */
const DETAILS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'the body is longer than this route takes',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'body: expected JSON, got nothing',
  FST_ERR_CTP_INVALID_JSON_BODY: 'body: not JSON',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'body: not as long as Content-Length says',
  FST_CP_ERR_INVALID_CONTENT_ENCODING: 'the body has a Content-Encoding that is not taken: gzip, deflate, br and identity are',
  FST_CP_ERR_INVALID_CONTENT: 'the body is not in the Content-Encoding that it names',
  FST_ERR_BAD_URL: 'the path is not a valid one',
  FST_ERR_MAX_PARAM_LENGTH: 'a part of the path is longer than any that there is',
};

/** By the status that they would answer with. */
const BY_STATUS: Readonly<Record<number, ProblemCode>> = {
  400: 'invalid_request', 404: 'no_such_route', 406: 'not_acceptable', 408: 'request_timeout', 413: 'payload_too_large',
  414: 'no_such_route', 415: 'unsupported_media_type', 431: 'headers_too_large',
};

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** The media types that the route of a request takes. */
function takenBy({ routeOptions: { schema } }: FastifyRequest): string {
  return (schema?.consumes ?? ['application/json']).join(' or ');
}

function detailOf({ code, statusCode = 500 }: FastifyError, problem: ProblemCode, request: FastifyRequest): string {
  if (statusCode === 415 && code.startsWith('FST_ERR_CTP')) return `Content-Type: expected ${takenBy(request)}`;
  return DETAILS[code] ?? PROBLEMS[problem].doc;
}

/** null: nothing that was foreseen. */
function foreseen(error: unknown, request: FastifyRequest): Problem | null {
  if (error instanceof Problem) return error;
  if (!isFastifyError(error)) return null;
  const code = error.code.startsWith('FST_') ? BY_STATUS[error.statusCode ?? 500] : undefined;
  return code === undefined ? null : new Problem(code, detailOf(error, code, request));
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  // A problem is not to be kept: what is refused now may be granted in a moment.
  return reply
    .code(problem.status)
    .headers({ 'cache-control': 'no-store', 'x-request-id': reply.request.id, ...problem.headers })
    .type(PROBLEM_TYPE)
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problemBody(problem, reply.request.id));
}

/** The error handler of the server. */
export function failureHandler(events: Pick<HttpEvents, 'refused' | 'failed'>) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = foreseen(error, request);
    if (problem !== null) {
      events.refused(problem);
      return sendProblem(reply, problem);
    }
    events.failed(request, error);
    return sendProblem(reply, new Problem('internal_error', 'an error that was not foreseen; the log has it under the request id'));
  };
}
