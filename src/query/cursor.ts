/**
 * Cursors: where a page ended, as text that says nothing to a client. They are not signed: whoever makes one up reads
 * what he may read anyway, from another place on.
 */
import { z } from 'zod';
import { Problem } from '../http/problem.ts';

const MAX_LENGTH = 2_048;

export const cursorParameter = z
  .string()
  .max(MAX_LENGTH)
  .describe('Where the page before has ended: its `next`. Says nothing to a client.');

/** Of every list, in its body: a route with `cursorParameter` has it, and `linkNext` in its answer. */
export const nextSchema = z
  .string()
  .nullable()
  .describe('The `cursor` of the next page; null: this is the last one. Also the header `Link`.');

export function encodeCursor(place: readonly (string | number | null)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @throws Problem for what `schema` does not take */
export function decodeCursor<T>(cursor: string, schema: z.ZodType<T>): T {
  let place: unknown;
  try {
    place = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    place = undefined;
  }
  const result = schema.safeParse(place);
  if (result.success) return result.data;
  throw invalidParameter('cursor', 'not the `next` of an answer to this question');
}

/** A parameter of the URL that is wrong in itself or beside another one. */
export function invalidParameter(name: string, reason: string): Problem {
  return new Problem('invalid_request', `query.${name}: ${reason}`, { errors: [{ field: `query.${name}`, reason }] });
}

/** The relative URL of the next page, for `Link`. */
export function nextLink(url: string, next: string): string {
  const [path = '', query = ''] = url.split('?', 2);
  const parameters = new URLSearchParams(query);
  parameters.set('cursor', next);
  return `<${path}?${parameters.toString()}>; rel="next"`;
}
