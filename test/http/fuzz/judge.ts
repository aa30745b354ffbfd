/**
 * What the document promises of every answer: no fault of ours, a status and a media type that the operation has, a
 * body of its schema, and a request id. The first promise that is not kept is told.
 */
import type { Answer } from './answer.ts';
import type { Fault } from './bodies.ts';
import { Bodies } from './bodies.ts';
import type { ApiDocument, Content, Operation } from './operations.ts';

const PROBLEM = 'application/problem+json';
/** To be asked for again later: the answer says when. */
const COME_AGAIN: ReadonlySet<number> = new Set([429, 503]);

export class Judge {
  readonly #bodies: Bodies;

  constructor(document: ApiDocument) {
    this.#bodies = new Bodies(document);
  }

  /** @param isKnown the request has a credential */
  verdict(operation: Operation, answer: Answer, { isKnown }: { readonly isKnown: boolean }): Fault {
    const { status, headers } = answer;
    if (status >= 500) return `status ${status}: ${answer.body.toString().slice(0, 500)}`;
    if (!isKnown && !operation.isPublic && status < 400) return `status ${status} for nobody`;
    if (operation.method === 'OPTIONS') return preflightFault(answer);
    const content = operation.answers[status];
    if (content === undefined) return `status ${status} is not documented: ${answer.body.toString().slice(0, 300)}`;
    if ((headers['x-request-id'] ?? '') === '') return `status ${status} without X-Request-Id`;
    if (COME_AGAIN.has(status) && !/^[1-9]\d*$/.test(headers['retry-after'] ?? '')) return `status ${status} without Retry-After`;
    if (operation.method === 'HEAD') return headFault(answer, content);
    return this.#contentFault(answer, content) ?? problemFault(answer);
  }

  #contentFault({ status, headers, body }: Answer, content: Content): Fault {
    if (Object.keys(content).length === 0) return body.length === 0 ? null : `status ${status} with a body`;
    const [mediaType = ''] = (headers['content-type'] ?? '').split(';', 1);
    const schema = Object.hasOwn(content, mediaType) ? content[mediaType]?.schema : undefined;
    if (schema === undefined) return `status ${status} with the undocumented Content-Type ${headers['content-type']}`;
    const fault = this.#bodies.faultOf(body, mediaType, schema);
    return fault === null ? null : `status ${status}, ${mediaType}: ${fault}: ${body.toString().slice(0, 500)}`;
  }
}

/** The head that a GET would have, and no body. */
function headFault({ status, headers, body }: Answer, content: Content): Fault {
  if (body.length > 0) return `status ${status} to HEAD with a body`;
  const [mediaType = ''] = (headers['content-type'] ?? '').split(';', 1);
  if (Object.keys(content).length === 0 || Object.hasOwn(content, mediaType)) return null;
  return `status ${status} to HEAD with the undocumented Content-Type ${headers['content-type']}`;
}

/** The document has no preflight requests: they are let through without a body, or are a problem like any other. */
function preflightFault(answer: Answer): Fault {
  const { status, headers, body } = answer;
  if ((headers['x-request-id'] ?? '') === '') return `status ${status} without X-Request-Id`;
  if (status === 204) return body.length === 0 ? null : 'a preflight request answered with a body';
  return status < 400 ? `status ${status} to OPTIONS` : problemFault(answer);
}

/** What the schema of a problem cannot say: it agrees with the rest of the answer. */
function problemFault({ status, headers, body }: Answer): Fault {
  if (status < 400) return null;
  if (!(headers['content-type'] ?? '').startsWith(PROBLEM)) return `status ${status} is no problem`;
  const problem = JSON.parse(body.toString()) as { status: number; requestId: string };
  if (problem.status !== status) return `status ${status} in an answer, ${problem.status} in its problem`;
  return problem.requestId === headers['x-request-id'] ? null : 'a problem with another request id than its answer';
}
