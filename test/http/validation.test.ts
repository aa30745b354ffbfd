import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { fieldPath, validatorCompiler } from '../../src/http/validation.ts';

/** What is said of each field at fault; null: nothing is. */
function said(schema: unknown, data: unknown, httpPart = 'querystring') {
  const checked = validatorCompiler({ schema, httpPart })(data);
  return 'error' in checked ? checked.error.errors?.map(({ field, reason }) => `${field}: ${reason}`) : null;
}

test.each<[string, PropertyKey[], string]>([
  ['body', [], 'body'],
  ['body', [3, 'latitude'], 'body[3].latitude'],
  ['body', ['records', 0, 'attributes', 'x'], 'body.records[0].attributes.x'],
  ['query', ['from'], 'query.from'],
])('%s %s is %s', (context, parts, path) => {
  expect(fieldPath(context, parts)).toBe(path);
});

describe('what is wrong with a request is said in words that its sender can act on', () => {
  const schema = z.object({
    size: z.string().transform(Number).pipe(z.number().min(1).max(10)).optional(),
    name: z.string().min(2).max(3).optional(),
    format: z.enum(['json', 'csv', 'gpx']).optional(),
    id: z.uuid().optional(),
    own: z.string().regex(/^x$/, 'expected an x').optional(),
  });

  test.each<[Record<string, unknown>, string]>([
    [{ size: '0' }, 'query.size: expected at least 1'],
    [{ size: '11' }, 'query.size: expected at most 10'],
    [{ name: '' }, 'query.name: expected at least 2 characters'],
    [{ name: 'long' }, 'query.name: expected at most 3 characters'],
    [{ name: ['a', 'b'] }, 'query.name: expected string'],
    [{ format: 'xls' }, 'query.format: expected json, csv or gpx'],
    [{ id: '7' }, 'query.id: expected a UUID'],
    [{ own: 'y' }, 'query.own: expected an x'],
  ])('%j', (data, words) => {
    expect(said(schema, data)).toEqual([words]);
  });

  test('a part that is missing', () => {
    expect(said(z.object({ name: z.string().min(1) }), {})).toEqual(['query.name: is missing']);
    expect(said(z.object({ kind: z.enum(['a', 'b']) }), {}, 'body')).toEqual(['body.kind: is missing']);
  });
});

test('a parameter that the route does not know is an error, and what the schema takes besides is not', () => {
  const known = z.object({ from: z.string().optional(), to: z.string().optional() });
  expect(said(known, { from: 'x' })).toBeNull();
  expect(said(known, { form: 'x', till: 'y' })).toEqual([
    'query.form: no such parameter: there are from, to', 'query.till: no such parameter: there are from, to',
  ]);
  expect(said(z.looseObject({}), { accept: 'x' }, 'headers')).toBeNull();
  expect(said(z.looseObject({}), { any: 'x' })).toBeNull();
});
