/** What is read off a request for a connection: topic, origin, address, credential. */
import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it, test } from 'vitest';
import { credentialOf } from '../../src/auth/credentials.ts';
import { addressOf } from '../../src/live/requests/address.ts';
import { formatCursor, isAfter, parseCursor } from '../../src/live/messages/cursor.ts';
import { MessageLimit } from '../../src/live/viewers/message-limit.ts';
import { originProblem } from '../../src/live/requests/origin.ts';
import { parseTopic } from '../../src/live/messages/topics.ts';

const UUID = '0b2f6b4e-2c86-4b8e-9a55-3d2f8b1c9e77';

describe('a topic', () => {
  it.each([
    ['*', { kind: 'all' }],
    ['device:356307042441013', { kind: 'device', id: '356307042441013' }],
    ['device:a:b, c', { kind: 'device', id: 'a:b, c' }],
    [`group:${UUID}`, { kind: 'group', id: UUID }],
    [`event:${UUID}`, { kind: 'group', id: UUID }],
  ])('%s', (key, resource) => {
    expect(parseTopic(key)).toEqual({ key, resource });
  });

  it.each(['', '**', 'device:', 'device', `device:${'x'.repeat(129)}`, 'device:a\nb', 'group:1', `group:${UUID.toUpperCase()}`, `fleet:${UUID}`])(
    'is not %j', (key) => { expect(parseTopic(key)).toBeUndefined(); });
});

describe('an origin', () => {
  const allowed = ['https://fleet.example.com', 'http://localhost:5173'];
  const host = 'live.example.com:8081';

  it.each<[what: string, origin: string | undefined, hasCookie: boolean, isAllowed: boolean]>([
    ['of a listed page', 'https://fleet.example.com', false, true],
    ['of a listed page, with a cookie', 'https://fleet.example.com', true, true],
    ['of a page of the same host', 'https://live.example.com:8081', false, true],
    ['of a page of the same host, with a cookie', 'https://live.example.com:8081', true, false],
    ['that is absent', undefined, false, true],
    ['that is absent, with a cookie', undefined, true, false],
    ['of a foreign page', 'https://evil.example', false, false],
    ['of a listed host with another scheme', 'http://fleet.example.com', false, false],
    ['of a listed host with another port', 'https://fleet.example.com:8443', false, false],
    ['of a subdomain', 'https://x.fleet.example.com', false, false],
    ['that only begins like a listed one', 'https://fleet.example.com.evil.example', false, false],
    ['null', 'null', false, false],
    ['*', '*', true, false],
  ])('%s', (_what, origin, hasCookie, isAllowed) => {
    expect(originProblem({ origin, host, hasCookie }, allowed) === null).toBe(isAllowed);
  });

  it('is not that of the host where the request names none', () => {
    expect(originProblem({ origin: 'nonsense', host: undefined, hasCookie: false }, [])).not.toBeNull();
  });
});

describe('an address', () => {
  const request = (forwarded?: string) => ({ socket: { remoteAddress: '10.0.0.9' }, headers: { 'x-forwarded-for': forwarded } }) as never;

  it.each<[forwarded: string | undefined, hops: number, address: string]>([
    [undefined, 0, '10.0.0.9'], [undefined, 1, '10.0.0.9'], ['6.6.6.6', 0, '10.0.0.9'], ['1.1.1.1', 1, '1.1.1.1'],
    ['6.6.6.6, 1.1.1.1', 1, '1.1.1.1'], ['6.6.6.6,1.1.1.1,10.0.0.1', 2, '1.1.1.1'], ['1.1.1.1', 3, '1.1.1.1'],
  ])('X-Forwarded-For %s behind %i proxies is %s', (forwarded, hops, address) => {
    expect(addressOf(request(forwarded), hops)).toBe(address);
  });
});

describe('a credential', () => {
  const read = (headers: IncomingHttpHeaders, query = '', cookieName: string | null = 'session') =>
    credentialOf({ headers, query: new URLSearchParams(query), address: '1.1.1.1' }, { cookieName });

  it.each<[what: string, headers: IncomingHttpHeaders, query: string, expected: object | null]>([
    ['none', {}, '', null],
    ['a bearer header', { authorization: 'Bearer abc' }, '', { kind: 'bearer', secret: 'abc' }],
    ['a header of another case', { authorization: 'bearer abc' }, '', { kind: 'bearer', secret: 'abc' }],
    ['a header that holds no token is one that is no good', { authorization: 'Basic abc' }, '', { kind: 'bearer', secret: '' }],
    ['a token of the URL', {}, 'access_token=abc', { kind: 'query', secret: 'abc' }],
    ['a cookie', { cookie: 'a=b; session=abc; c=d' }, '', { kind: 'cookie', secret: 'abc' }],
    ['another cookie', { cookie: 'xsession=abc; session2=d' }, '', null],
    ['the header goes before the rest', { authorization: 'Bearer abc', cookie: 'session=d' }, 'access_token=e', { kind: 'bearer', secret: 'abc' }],
    ['the URL goes before the cookie', { cookie: 'session=d' }, 'access_token=e', { kind: 'query', secret: 'e' }],
  ])('%s', (_what, headers, query, expected) => {
    expect(read(headers, query)).toEqual(expected === null ? null : { ...expected, address: '1.1.1.1' });
  });

  it('is in no cookie where none is wanted', () => {
    expect(read({ cookie: 'session=abc' }, '', null)).toBeNull();
  });
});

describe('a cursor', () => {
  test('is the ids of the partitions', () => {
    expect(parseCursor(formatCursor(['1-0', '2-3']), 2)).toEqual(['1-0', '2-3']);
  });

  it.each(['', '1-0', '1-0,2-0,3-0', '1-0,x', '1-0,2', '1-0,2-0 ', `1-0,${'9'.repeat(21)}-0`])('is not %j', (text) => {
    expect(parseCursor(text, 2)).toBeUndefined();
  });

  it.each([['2-0', '1-9', true], ['1-10', '1-9', true], ['1-9', '1-9', false], ['1-9', '2-0', false], ['18446744073709551615-1', '18446744073709551615-0', true]])(
    '%s after %s: %s', (a, b, after) => { expect(isAfter(a, b)).toBe(after); });
});

describe('a limit of messages', () => {
  it('lets a burst pass, refuses what is beyond, answers once a second, and fills up again', () => {
    const limit = new MessageLimit(10, 0);
    expect(Array.from({ length: 50 }, () => limit.admit(0))).toEqual(Array.from({ length: 50 }, () => 'admitted'));
    expect([limit.admit(0), limit.admit(1), limit.admit(50)]).toEqual(['refused', 'refused_silently', 'refused_silently']);
    expect(limit.admit(151)).toBe('admitted');
    expect(limit.admit(152)).toBe('refused_silently');
    expect(limit.admit(1_151)).toBe('admitted');
  });

  it('gives up on who goes on', () => {
    const limit = new MessageLimit(1, 0);
    const admissions = Array.from({ length: 20 }, () => limit.admit(0));
    expect(admissions.filter((one) => one === 'admitted')).toHaveLength(5);
    expect(admissions.indexOf('hopeless')).toBe(10);
  });

  it('saves up no more than a burst', () => {
    const limit = new MessageLimit(2, 0);
    expect(Array.from({ length: 12 }, () => limit.admit(1_000_000)).filter((one) => one === 'admitted')).toHaveLength(10);
  });
});
