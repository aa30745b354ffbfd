/** Requests for an operation: as its schemas have them, or with something in them that they do not have. */
import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { HEADERS, brokenJson, damaged, escaped, hostileText, hostileValue } from './hostile.ts';
import type { Operation, Parameter } from './operations.ts';
import type { SchemaValues } from './schema-values.ts';

export interface FuzzRequest {
  /** A name of the kinds of callers that the run has. */
  readonly caller: string;
  readonly method: string;
  /** Path and query as they go over the line. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

type Query = readonly (readonly [name: string, value: string])[];

function partsOf(name: string, value: unknown): Query {
  return [value].flat().map((one) => [name, escaped(one)] as const);
}

/** A parameter: valid, left out, hostile, or given twice. */
function queryPart({ name, schema, required }: Parameter, values: SchemaValues): fc.Arbitrary<Query> {
  const valid = values.named(name, schema).map((value) => partsOf(name, value));
  return fc.oneof(
    { weight: 24, arbitrary: valid },
    { weight: required === true ? 1 : 40, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: hostileText.map((text) => [[name, text] as const]) },
    { weight: 1, arbitrary: fc.tuple(valid, valid).map((twice) => twice.flat()) },
  );
}

const strangeParts: fc.Arbitrary<Query> = fc.oneof(
  { weight: 12, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.tuple(hostileText, hostileText).map((pair) => [pair]) },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'name[]', 'from[a]', 'limit.x', 'constructor').map((name) => [[name, '1'] as const]) },
);

function pathOf({ path, parameters }: Operation, values: SchemaValues): fc.Arbitrary<string> {
  const parts = path.split('/').map((part) => {
    if (!part.startsWith('{')) return fc.constant(part);
    const { name, schema } = parameters.find((one) => `{${one.name}}` === part)!;
    const valid = values.named(name, schema).map((value) => escaped(value));
    return fc.oneof({ weight: 24, arbitrary: valid }, { weight: 1, arbitrary: hostileText });
  });
  return fc.tuple(...parts).map((all) => all.join('/'));
}

function urlOf(operation: Operation, values: SchemaValues): fc.Arbitrary<string> {
  const parameters = operation.parameters.filter((one) => one.in === 'query');
  const query = fc.tuple(...parameters.map((one) => queryPart(one, values)), strangeParts).map((parts) => parts.flat());
  return fc.tuple(pathOf(operation, values), query).map(([path, parts]) =>
    (parts.length === 0 ? path : `${path}?${parts.map(([name, value]) => `${name}=${value}`).join('&')}`));
}

interface Body {
  readonly type: string;
  readonly bytes: Buffer;
}

function serialized(type: string, value: unknown): Buffer {
  const lines = type.includes('ndjson') && Array.isArray(value) ? value : [value];
  return Buffer.from(lines.map((line) => JSON.stringify(line) ?? '').join('\n'));
}

function bodyOf({ body }: Operation, values: SchemaValues): fc.Arbitrary<Body | null> {
  const kinds = Object.entries(body).map(([type, { schema = {} }]) => {
    const valid = values.of(schema);
    const place = fc.array(fc.nat(20), { maxLength: 4 });
    const mutated = fc.tuple(valid, place, hostileValue).map(([value, at, by]) => damaged(value, at, by));
    const cut = fc.tuple(valid, fc.nat(200)).map(([value, at]) => serialized(type, value).subarray(0, at));
    return fc.oneof(
      { weight: 6, arbitrary: valid.map((value) => serialized(type, value)) },
      { weight: 4, arbitrary: mutated.map((value) => serialized(type, value)) },
      { weight: 1, arbitrary: cut },
      { weight: 1, arbitrary: brokenJson },
    ).map((bytes) => ({ type, bytes }));
  });
  // And a body where none is expected, or none where one is.
  const unexpected = brokenJson.map((bytes) => ({ type: 'application/json', bytes }));
  const [usual, unusual] = kinds.length > 0 ? [fc.oneof(...kinds), fc.constant(null)] : [fc.constant(null), unexpected];
  return fc.nat(20).chain((turn): fc.Arbitrary<Body | null> => (turn === 0 ? unusual : usual));
}

const oddHeader = fc.constantFrom(...Object.entries(HEADERS))
  .chain(([name, values]) => fc.constantFrom(...values).map((value) => [name, value] as const));

const oddHeaders: fc.Arbitrary<Readonly<Record<string, string>>> = fc.array(oddHeader, { maxLength: 3 })
  .map((pairs) => Object.fromEntries(pairs));

/** Right for what the body says it is, most of the time: else it never gets behind the decompression. */
const packing = fc.constantFrom<'none' | 'gzip' | 'deflate'>('none', 'none', 'none', 'none', 'gzip', 'deflate');

/** What a browser sends ahead of a request of a page elsewhere, most of the time. */
const preflight: fc.Arbitrary<Readonly<Record<string, string>>> = fc.constantFrom(
  { origin: 'http://listed.example', 'access-control-request-method': 'GET' },
  { origin: 'http://listed.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization, content-type' },
  { origin: 'http://elsewhere.example', 'access-control-request-method': 'DELETE' },
  {},
);

function packed(bytes: Buffer, how: 'none' | 'gzip' | 'deflate'): Buffer {
  if (how === 'none') return bytes;
  return how === 'gzip' ? gzipSync(bytes) : deflateSync(bytes);
}

/** @param callers names; the more often one is there, the more often it calls */
export function requestsFor(
  operation: Operation, values: SchemaValues, callers: readonly string[],
): fc.Arbitrary<FuzzRequest> {
  return fc.record({
    caller: fc.constantFrom(...callers), url: urlOf(operation, values), odd: oddHeaders,
    body: bodyOf(operation, values), how: packing, address: fc.nat(65_535),
    ahead: operation.method === 'OPTIONS' ? preflight : fc.constant({}),
  }).map(({ caller, url, odd, body, how, address, ahead }) => ({
    caller,
    method: operation.method,
    url,
    headers: {
      // Of an address of its own, so that those who sign in do not lock each other out.
      'x-forwarded-for': `10.9.${address >> 8}.${address & 255}`,
      ...(body === null ? {} : { 'content-type': body.type }),
      ...(body === null || how === 'none' ? {} : { 'content-encoding': how }),
      ...odd, ...ahead,
    },
    body: body === null ? null : packed(body.bytes, how),
  }));
}
