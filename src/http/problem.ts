/**
 * Problems: what a route throws to say no, and the answers that are made of them (RFC 9457). The detail is for the
 * caller: never put internals in it.
 */
import { z } from 'zod';
import type { ProblemCode } from './problems.ts';
import { PROBLEMS, PROBLEM_CODES } from './problems.ts';

/** One thing that is wrong with a request. */
export interface FieldError {
  /** Where: `query.from`, `body[3].latitude`. */
  readonly field: string;
  readonly reason: string;
  /** Of an item of a list: its position, from 0. */
  readonly index?: number;
  /** Where `reason` is a code: what is expected, for people. */
  readonly message?: string;
}

export interface ProblemExtra {
  readonly errors?: readonly FieldError[];
  /** Whole seconds, at least 1. */
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, { errors, retryAfterSeconds, headers = {} }: ProblemExtra = {}) {
    super(detail);
    this.code = code;
    this.errors = errors;
    this.headers = retryAfterSeconds === undefined ? headers : { ...headers, 'retry-after': String(retryAfterSeconds) };
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

export const PROBLEM_TYPE = 'application/problem+json';

const fieldErrorSchema = z.object({
  field: z.string(),
  reason: z.string(),
  index: z.int().min(0).optional().describe('Of an item of a list: its position, from 0.'),
  message: z.string().optional().describe('Where `reason` is a code: what is expected, for people.'),
});

export const problemSchema = z
  .object({
    type: z.string().describe('A URI that names the kind of problem; it does not lead anywhere.'),
    title: z.string().describe('The same for every occurrence of the kind.'),
    status: z.int().min(400).max(599),
    detail: z.string().describe('What is wrong this time, for people.'),
    code: z.enum(PROBLEM_CODES as [ProblemCode, ...ProblemCode[]]).describe('For programs: see docs/errors.md.'),
    requestId: z.string().describe('Also the header X-Request-Id; the log lines of the request bear it.'),
    errors: z.array(fieldErrorSchema).optional().describe('One for each field at fault.'),
  })
  .meta({ id: 'Problem', description: 'A problem as RFC 9457 describes it.' });

export type ProblemBody = z.infer<typeof problemSchema>;

export function problemBody(problem: Problem, requestId: string): ProblemBody {
  const { code, message: detail, errors } = problem;
  const { status, title } = PROBLEMS[code];
  return {
    type: `urn:odograph:problem:${code}`, title, status, detail, code, requestId,
    ...(errors === undefined ? {} : { errors: errors.map((one) => ({ ...one })) }),
  };
}

function answerOf(status: number) {
  const codes = PROBLEM_CODES.filter((code) => PROBLEMS[code].status === status);
  const description = codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' ');
  return { description, content: { [PROBLEM_TYPE]: { schema: problemSchema } } };
}

/** The answers that every route may give, whatever it does: to be spread into its `response`. */
export const PROBLEM_RESPONSES = {
  400: answerOf(400), 401: answerOf(401), 403: answerOf(403), 404: answerOf(404), 408: answerOf(408),
  409: answerOf(409), 413: answerOf(413), 415: answerOf(415), 422: answerOf(422), 429: answerOf(429),
  431: answerOf(431), 500: answerOf(500), 503: answerOf(503), 504: answerOf(504),
} as const;

/** Besides, of a route that comes in several forms. */
export const NOT_ACCEPTABLE_RESPONSE = { 406: answerOf(406) } as const;
