/** What no schema takes, or what is seldom thought of: texts, bodies and headers. */
import fc from 'fast-check';

/** As they stand in a URL: escapes that are none, NUL, half a surrogate pair, overlong UTF-8. */
const RAW = [
  '%', '%zz', '%00', 'a%00b', '%ED%A0%80', '%C0%AF', '%FF%FE', '%F0%9F%9A%9A', '%E2%80%AE', '%0d%0aX-Evil:%201', '..%2f..%2fetc', '+', '%20', '&&', '=',
  '%25%32%35', '%EF%BB%BF',
];

const TEXTS = [
  '', ' ', 'null', 'undefined', 'NaN', 'Infinity', '-Infinity', '-1', '0', '-0', '1e3', '1e309', '0x10', '999999999', '9999999999', '9'.repeat(400),
  '9223372036854775808', '18446744073709551616', '__proto__', 'constructor', 'toString', "'; drop table devices; --", '\\', '"', "''", '$1', '${1}', '%s', '{}', '[]',
  '<script>', ']]>', '🚚', '\u202e', '\ufeff', 'İ', 'ß', 'a\nb', '\t', ',', ',,,', '*', '../../etc/passwd', '٣', 'x'.repeat(129), 'x'.repeat(3_000),
  '0000-01-01', '9999-12-31T23:59:59.999Z', '2026-02-30', '2026-05-04T24:00:00Z', '-62135596800001', '253402300800000', '1'.repeat(15),
];

/** As a part of a URL; half of a surrogate pair, which has no place there, becomes U+FFFD. */
export function escaped(value: unknown): string {
  return encodeURIComponent(String(value).toWellFormed());
}

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...RAW),
  fc.constantFrom(...TEXTS).map(escaped),
  fc.string({ unit: 'grapheme', maxLength: 30 }).map(escaped),
  fc.double().map(String).map(encodeURIComponent),
  fc.bigInt().map(String),
);

const HOSTILE_VALUES: readonly unknown[] = [
  null, true, 0, -1, 1.5, 1e308, -1e308, 5e-324, 2 ** 53, -(2 ** 63), 1e21, '', '\0', 'a\0b', '\ud800', '🚚', 'x'.repeat(200_000), [], {}, [[[[]]]],
  { __proto__: null }, { __bigint: '1e3' }, { __bigint: '9'.repeat(5_000) }, { __buffer_b64: '=' }, { a: { b: [1] } }, 'NaN', '2026-02-30T00:00:00Z',
  '9999-12-31T23:59:60Z', '+275760-09-13T00:00:00.001Z', -8.64e15, 8.64e15 + 1,
];

export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...HOSTILE_VALUES), fc.jsonValue({ maxDepth: 3 }));

/** The value with one thing in it changed: a part replaced, left out, or one added. */
export function damaged(value: unknown, at: readonly number[], by: unknown): unknown {
  const [step, ...rest] = at;
  if (step === undefined || typeof value !== 'object' || value === null) return by;
  if (Array.isArray(value)) {
    const index = step % (value.length + 1);
    return value.toSpliced(index, 1, damaged(value[index], rest, by));
  }
  const entries = Object.entries(value);
  const index = step % (entries.length + 2);
  const [name] = entries[index] ?? [];
  if (index === entries.length + 1) return Object.fromEntries(entries.slice(1));
  if (name === undefined) return { ...value, [step % 2 === 0 ? '__proto__x' : 'constructor']: by };
  return { ...value, [name]: damaged(entries[index]?.[1], rest, by) };
}

/** Text of JSON as no serializer writes it. */
export const brokenJson: fc.Arbitrary<Buffer> = fc.oneof(
  fc.constantFrom(
    '', ' ', '{', '[', '"', '{"a":1,}', '[1,]', 'nul', '\ufeff[]', '[]]', '{"__proto__":{"x":1}}', '{"constructor":{"prototype":{}}}', '{"a":1,"a":2}',
    '[1e999]', `[${'9'.repeat(2_000)}]`, '['.repeat(50_000), '{"a":'.repeat(20_000), '"\\ud800"', '"\u0001"', '\r\n\r\n', '{}\n{}\n', '\0',
  ).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
);

export const HEADERS: Readonly<Record<string, readonly string[]>> = {
  accept: [
    '', '*/*', 'application/json', 'text/csv', 'application/x-ndjson', 'application/geo+json', 'application/gpx+xml', 'application/vnd.google-earth.kml+xml',
    'application/*;q=0.5, text/*', 'image/png', 'application/json;q=0', '*/*;q=NaN', ';;;', ',', 'text/html,application/xhtml+xml,*/*;q=0.8', '__proto__',
    'constructor', 'a/b;q=1e309', 'x'.repeat(4_000), '\xff\xfe',
  ],
  'accept-encoding': ['', 'gzip', 'br', 'deflate', 'identity;q=0', '*;q=0', 'gzip;q=0, br;q=0', 'zstd', 'x-gzip', 'br;q=2', ',,,', 'identity'],
  'content-type': [
    'application/json', 'application/x-ndjson', 'application/jsonl', 'application/json; charset=utf-16', 'application/json; charset="', 'text/plain', 'text/xml',
    'multipart/form-data', 'application/x-www-form-urlencoded', '*/*', '', ';', 'application', 'APPLICATION/JSON', 'application/json,application/json', '__proto__',
    'constructor', 'application/vnd.api+json', '\xe9/\xe9',
  ],
  'content-encoding': ['gzip', 'deflate', 'br', 'identity', 'zstd', 'gzip, gzip', '', '__proto__', 'constructor'],
  'idempotency-key': ['a', 'a b', '', 'é', 'k'.repeat(255), 'k'.repeat(256), '"quoted"', '__proto__'],
  prefer: ['handling=strict', 'handling=lenient', 'handling="strict"', 'respond-async, handling=strict', '', '=', ';;', 'h'.repeat(3_000)],
  'x-request-id': ['mine-1', '', 'a'.repeat(128), 'a'.repeat(129), '<x>', '\xff', '../..'],
  'x-forwarded-for': ['10.1.2.3', '10.1.2.4', '::1', 'unknown', '', ',,,', '999.1.1.1', 'x'.repeat(1_000), '10.0.0.1, 10.0.0.2'],
  'x-forwarded-host': ['evil.example', '', 'a:b:c', '[::1'],
  'x-forwarded-proto': ['https', 'gopher', ''],
  host: ['localhost', '', 'a b', 'evil.example:99999', '[::1'],
  origin: ['null', 'https://evil.example', 'http://127.0.0.1', '', 'x', 'http://[', 'http://listed.example'],
  cookie: ['', 'odograph_session', 'odograph_session=', 'odograph_session=%zz', 'odograph_session=a; odograph_session=b', '=;=;', 'a=\xff', '__proto__=1'],
  'if-none-match': ['*', 'W/"a"', '"a", "b"', '"', 'x', 'W/', ''],
  range: ['bytes=0-10', 'bytes=-', 'rows=1-2'],
  expect: ['100-continue'],
  'access-control-request-method': ['PUT', ''],
};
