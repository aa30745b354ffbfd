/**
 * Requests are checked against the schemas of their routes here, and what is wrong is said in words that its sender can
 * act on. A parameter that a route does not know is an error, as a field of a body is: one that is spelt wrong would
 * otherwise be ignored, and the answer be about more than was asked for.
 *
 * Errors: a `Problem` `invalid_request`, which names each part at fault.
 */
import { z } from 'zod';
import type { FieldError } from './problem.ts';
import { Problem } from './problem.ts';

const FIELD_LIMIT = 100;

const CONTEXTS: Readonly<Record<string, string>> = { querystring: 'query', params: 'path', body: 'body', headers: 'headers' };

/** `['3', 'latitude']` of the body as `body[3].latitude`. */
export function fieldPath(context: string, parts: readonly PropertyKey[]): string {
  return parts.map(String).reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : `${path}.${part}`), context);
}

function counted(count: number | bigint, origin: string): string {
  const [one, many] = origin === 'string' ? ['character', 'characters'] : ['item', 'items'];
  return `${count} ${count === 1 ? one : many}`;
}

function bound(kind: 'least' | 'most', origin: string, limit: number | bigint): string {
  const isNumber = origin === 'number' || origin === 'int';
  return `expected at ${kind} ${isNumber ? String(limit) : counted(limit, origin)}`;
}

/** undefined: the schema says it better. */
function expectationOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined && issue.code !== 'custom' && issue.code !== 'unrecognized_keys') return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${String(issue.expected)}`;
    case 'invalid_value':
      return `expected ${(issue.values as readonly unknown[]).map(String).join(', ').replace(/, (?=[^,]*$)/, ' or ')}`;
    case 'too_small':
      return bound('least', String(issue.origin), issue.minimum);
    case 'too_big':
      return bound('most', String(issue.origin), issue.maximum);
    case 'invalid_format':
      return issue.format === 'uuid' ? 'expected a UUID' : undefined;
    default:
      return undefined;
  }
}

function errorsOf(context: string, { issues }: z.core.$ZodError, schema: z.core.$ZodType): FieldError[] {
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape).join(', ') : '';
  return issues.flatMap((issue): FieldError[] => {
    if (issue.code !== 'unrecognized_keys') return [{ field: fieldPath(context, issue.path), reason: issue.message }];
    // A name that the schema does not know is at fault, not the object around it.
    const reason = context === 'query' ? `no such parameter: there are ${known}` : 'no such field';
    return issue.keys.map((key) => ({ field: fieldPath(context, [...issue.path, key]), reason }));
  });
}

function problemOf(context: string, error: z.core.$ZodError, schema: z.core.$ZodType): Problem {
  const errors = errorsOf(context, error, schema).slice(0, FIELD_LIMIT);
  const [first] = errors;
  return new Problem('invalid_request', first === undefined ? 'the request is not valid' : `${first.field}: ${first.reason}`, { errors });
}

interface Route {
  readonly schema: unknown;
  readonly httpPart?: string | undefined;
}

type Validated = { readonly value: unknown } | { readonly error: Problem };

/** For Fastify: what checks this part of the requests of a route. */
export function validatorCompiler({ schema: given, httpPart = 'request' }: Route): (data: unknown) => Validated {
  const isQuery = httpPart === 'querystring' && given instanceof z.ZodObject && given.def.catchall === undefined;
  const schema = isQuery ? given.strict() : given as z.core.$ZodType;
  const context = CONTEXTS[httpPart] ?? 'request';
  return (data) => {
    const result = z.core.safeParse(schema, data, { error: expectationOf });
    return result.success ? { value: result.data } : { error: problemOf(context, result.error, schema) };
  };
}
