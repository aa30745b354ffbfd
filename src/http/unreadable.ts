/**
 * Requests that are none: headers that do not end, or are not HTTP. They reach no route, and are answered with a
 * problem all the same, on their connection, which ends with it.
 */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { PROBLEM_TYPE, Problem, problemBody } from './problem.ts';
import type { ProblemCode } from './problems.ts';

/** By the code of Node's error; anything else is not HTTP. */
const BY_ERROR: Readonly<Record<string, ProblemCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout', HPE_HEADER_OVERFLOW: 'headers_too_large',
};

const DETAILS: Readonly<Partial<Record<ProblemCode, string>>> = {
  request_timeout: 'headers and body were not complete in time',
  headers_too_large: 'path and headers are longer than 16 KiB together',
};

const LINGER_MS = 1_000;

function answerOf(problem: Problem): string {
  const requestId = randomUUID();
  const body = JSON.stringify(problemBody(problem, requestId));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`, `content-type: ${PROBLEM_TYPE}`, `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`, 'cache-control: no-store', 'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** Fastify's `clientErrorHandler`. @param onRefused is told of each that is answered */
export function answerUnreadable(onRefused: (problem: Problem) => void) {
  return (error: Error & { readonly code?: string }, socket: Socket): void => {
    // Whoever has gone is told nothing.
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    const code = BY_ERROR[error.code ?? ''] ?? 'invalid_request';
    const problem = new Problem(code, DETAILS[code] ?? 'this is not a request as HTTP/1.1 has them');
    onRefused(problem);
    if (!socket.writable) {
      socket.destroy(error);
      return;
    }
    // Not at once: a client that is still sending would find the connection reset before it reads the answer.
    socket.setTimeout(LINGER_MS, () => { socket.destroy(); });
    socket.end(answerOf(problem));
  };
}
