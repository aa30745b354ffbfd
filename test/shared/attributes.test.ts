import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeAttributes, parseAttributes } from '../../src/shared/attributes.ts';
import { CodecError } from '../../src/shared/errors.ts';
import type { AttributeValue } from '../../src/shared/model.ts';

/** What PostgreSQL's JSON can hold: no NUL. */
const storable = (text: fc.Arbitrary<string>): fc.Arbitrary<string> => text.map((given) => given.replaceAll('\0', ''));

const value: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
  fc.boolean(),
  storable(fc.string({ unit: 'binary' })),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
);
const name = fc.oneof(storable(fc.string()), fc.constantFrom('__proto__', 'constructor', 'toString', '', '0', '__bigint', '__buffer_b64'));
const attributes = fc.array(fc.tuple(name, value)).map((pairs) => new Map(pairs));

const identity = (given: Map<string, AttributeValue>) => parseAttributes(encodeAttributes(given));

describe('attributes', () => {
  it('decode to what was encoded, whatever the names and values', () => {
    fc.assert(
      fc.property(attributes, (given) => {
        expect(identity(given)).toEqual(given);
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, AttributeValue]>([
    ['the greatest unsigned 64-bit integer', 18_446_744_073_709_551_615n],
    ['the least signed 64-bit integer', -9_223_372_036_854_775_808n],
    ['a bigint that a number could hold', 1n],
    ['an empty Buffer', Buffer.alloc(0)],
    ['a Buffer of every byte', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    ['an empty string', ''],
    ['a pair of surrogates', '\u{1f69a}'],
    ['what looks like an escape of a NUL', '\\u0000'],
    ['negative zero', -0],
    ['the smallest double', Number.MIN_VALUE],
    ['the greatest double', Number.MAX_VALUE],
  ])('keep %s', (_what, given) => {
    const decoded = identity(new Map([['x', given]])).get('x');
    expect(Object.is(decoded, given) || (Buffer.isBuffer(given) && given.equals(decoded as Buffer))).toBe(true);
  });

  it('are one object of plain JSON, with sentinels for what JSON has no word for', () => {
    const json = encodeAttributes(new Map<string, AttributeValue>([['ignition', true], ['id', 18_446_744_073_709_551_615n], ['raw', Buffer.from([1, 2, 3])]]));
    expect(json).toBe('{"id":{"__bigint":"18446744073709551615"},"raw":{"__buffer_b64":"AQID"},"ignition":true}');
  });

  it('refuse a number that is not finite and name the attribute', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => encodeAttributes(new Map([['speedLimit', bad]]))).toThrow(expect.objectContaining({ name: 'CodecError', field: 'attributes.speedLimit' }));
    }
  });

  it.each([['a NUL', 'a\0b'], ['half of a surrogate pair', '\ud83d'], ['the other half', 'x\ude9ay']])(
    'refuse %s in a text and in a name, which PostgreSQL has no place for', (_what, text) => {
      const named = (field: string) => ({ name: 'CodecError', field }) as const;
      const value = new Map([['driver', text]]);
      expect(() => encodeAttributes(value)).toThrow(expect.objectContaining(named('attributes.driver')));
      const name = new Map([[text, 1]]);
      expect(() => encodeAttributes(name)).toThrow(expect.objectContaining(named(`attributes.${text}`)));
    },
  );

  it.each([
    ['not JSON', '{', 'attributes'],
    ['an array', '[]', 'attributes'],
    ['null', 'null', 'attributes'],
    ['a nested object', '{"a":{"b":1}}', 'attributes.a'],
    ['a null value', '{"a":null}', 'attributes.a'],
    ['an array value', '{"a":[1]}', 'attributes.a'],
    ['a bigint that is none', '{"a":{"__bigint":"1.5"}}', 'attributes.a'],
    ['a bigint as number', '{"a":{"__bigint":1}}', 'attributes.a'],
    ['base64 that is none', '{"a":{"__buffer_b64":"?"}}', 'attributes.a'],
    ['two sentinels in one', '{"a":{"__bigint":"1","__buffer_b64":""}}', 'attributes.a'],
  ])('refuse %s and name the field', (_what, json, field) => {
    try {
      parseAttributes(json);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(CodecError);
      expect((error as CodecError).field).toBe(field);
    }
  });
});
