import type { FastifyReply, FastifyRequest } from 'fastify';
import { describe, expect, test } from 'vitest';
import { etagOf, isUnchanged } from '../../src/http/etag.ts';

describe('a tag', () => {
  test('is the same for the same state, and another for any other', () => {
    expect(etagOf('a', 1)).toBe(etagOf('a', 1));
    const states: (string | number | bigint | null)[][] = [
      ['a', 1], ['a', '1'], ['a1'], ['a', 1, ''], ['a', 1, null], ['a', 1n], [],
    ];
    const tags = states.map((state) => etagOf(...state));
    expect(new Set(tags).size).toBe(tags.length);
  });

  test('is weak, and holds nothing of the state', () => {
    expect(etagOf('secret')).toMatch(/^W\/"[\w-]{22}"$/);
  });
});

test.each([
  [undefined, false], ['*', true], ['W/"a"', true], ['"a"', true],
  ['"b", W/"a"', true], ['"b"', false], ['', false], ['a', false],
])('of If-None-Match %j the state W/"a" is unchanged: %s', (header, expected) => {
  const set: Record<string, string> = {};
  const setHeader = (name: string, text: string): FastifyReply => {
    set[name] = text;
    return reply;
  };
  const reply = { header: setHeader } as unknown as FastifyReply;
  const request = { headers: header === undefined ? {} : { 'if-none-match': header } } as FastifyRequest;
  expect(isUnchanged(request, reply, 'W/"a"')).toBe(expected);
  expect(set).toMatchObject({ etag: 'W/"a"', 'cache-control': 'private, no-cache', vary: 'authorization, cookie, origin' });
});
