/**
 * From whatever ends a request without an answer to the problem that its caller is told. What is not foreseen is our
 * fault: it is logged with all that is known, and the caller learns nothing but the request id.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { HttpEvents } from './events.ts';
import type { FieldError } from './problem.ts';
import { PROBLEM_TYPE, Problem, problemBody } from './problem.ts';
import type { ProblemCode } from './problems.ts';
import { PROBLEMS } from './problems.ts';

/** What Fastify and its plugins refuse, where their own words are not for callers. */
const DETAILS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'the body is longer than this route takes',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'the body has a Content-Type that this route does not take',
  FST_ERR_CTP_EMPTY_TYPE: 'the body has no Content-Type',
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

const FIELD_LIMIT = 100;

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** `/3/latitude` of the body as `body[3].latitude`. */
export function fieldPath(context: string, pointer: string): string {
  const parts = pointer.split('/').filter((part) => part !== '');
  return parts.reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : `${path}.${part}`), context);
}

const CONTEXTS: Readonly<Record<string, string>> = { querystring: 'query', params: 'path', body: 'body', headers: 'headers' };

function validationProblem(error: unknown): Problem | null {
  if (!hasZodFastifySchemaValidationErrors(error)) return null;
  const context = CONTEXTS[error.validationContext ?? ''] ?? 'request';
  const errors: FieldError[] = error.validation.slice(0, FIELD_LIMIT).map(({ instancePath, message, params }) => ({
    field: fieldPath(context, unrecognised(instancePath, params)),
    reason: message ?? 'is not valid',
  }));
  const [first] = errors;
  return new Problem('invalid_request', first === undefined ? 'the request is not valid' : `${first.field}: ${first.reason}`, { errors });
}

/** A name that the schema does not know is at fault, not the object around it. */
function unrecognised(pointer: string, params: Readonly<Record<string, unknown>>): string {
  const { keys } = params;
  return Array.isArray(keys) && keys.length === 1 ? `${pointer}/${String(keys[0])}` : pointer;
}

/** null: nothing that was foreseen. */
function foreseen(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  const validation = validationProblem(error);
  if (validation !== null || !isFastifyError(error)) return validation;
  const code = error.code.startsWith('FST_') ? BY_STATUS[error.statusCode ?? 500] : undefined;
  return code === undefined ? null : new Problem(code, DETAILS[error.code] ?? PROBLEMS[code].doc);
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
    const problem = foreseen(error);
    if (problem !== null) {
      events.refused(problem);
      return sendProblem(reply, problem);
    }
    events.failed(request, error);
    return sendProblem(reply, new Problem('internal_error', 'an error that was not foreseen; the log has it under the request id'));
  };
}
