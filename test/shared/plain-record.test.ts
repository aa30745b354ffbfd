/** The quick way to read a record gives what a JSON parser gives, or nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlainReader } from '../../src/shared/contracts/plain-record.ts';

const NAMES = [
  'ts', 'latitude', 'longitude', 'altitude', 'course', 'speed', 'satellites', 'hdop', 'valid', 'priority', 'eventId',
] as const;
const PLAIN = ['1717387864011', '-27.4388733', '153.080315', '9', '319.5', '0', '14', 'null', 'true', '1', '548'];
const ATTRIBUTES = '{"driver":"Žofie"}';

function textOf(fields: readonly string[], attributes = ATTRIBUTES, length = Buffer.byteLength(attributes)): string {
  return `[${fields.join(',')},${length},${attributes}]`;
}

function withField(name: (typeof NAMES)[number], text: string): string {
  return textOf(PLAIN.with(NAMES.indexOf(name), text));
}

function read(text: string): Record<string, unknown> | null {
  const { attributesJson, ...fields } = new PlainReader(Buffer.from(text)).record(0) ?? {};
  return attributesJson === undefined ? null : { ...fields, attributes: JSON.parse(attributesJson.toString()) };
}

function parsed(text: string): Record<string, unknown> {
  const all = JSON.parse(text) as unknown[];
  return { ...Object.fromEntries(NAMES.map((name, index) => [name, all[index]])), attributes: all.at(-1) };
}

const digits = (max: number): fc.Arbitrary<string> => fc.array(fc.nat(9), { maxLength: max }).map((given) => given.join(''));
/** What looks like a number, and often is none, or one with more digits than a double has. */
const numberLike = fc.oneof(
  fc.double({ noNaN: true }).map(String),
  fc.integer({ min: -200, max: 200 }).map(String),
  fc.tuple(fc.constantFrom('', '-', '--', '+', '.'), digits(17), fc.constantFrom('', '.', '..', 'e', 'e-', ' '), digits(17)).map((parts) => parts.join('')),
  fc.constantFrom('null', 'nul', 'true', 'false', 'falsy', '""', '[]', '-0', '00', '1.', '.1', '1e3', 'NaN', 'Infinity'),
);

describe('a plain record', () => {
  it('is what a JSON parser reads', () => {
    expect(read(textOf(PLAIN))).toEqual(parsed(textOf(PLAIN)));
  });

  it('ends where the reader then stands', () => {
    const reader = new PlainReader(Buffer.from(`${textOf(PLAIN)},[`));
    reader.record(0);
    expect(reader.at).toBe(Buffer.byteLength(textOf(PLAIN)));
  });

  it.each([
    ['altitude', 'null'], ['latitude', '-0'], ['altitude', '0.1'], ['altitude', '123456.789012345'], ['ts', '-1'], ['valid', 'false'],
    ['latitude', '90'], ['longitude', '-180'], ['satellites', '32767'], ['eventId', '-2147483647'], ['priority', '-0'],
  ] as const)('may have the %s %s', (name, text) => {
    expect(read(withField(name, text))).toEqual(parsed(withField(name, text)));
  });

  it('has exactly the numbers that a JSON parser reads, whatever stands there', () => {
    fc.assert(fc.property(fc.constantFrom(...NAMES), numberLike, (name, text) => {
      const record = read(withField(name, text));
      if (record !== null) expect(record).toEqual(parsed(withField(name, text)));
    }), { numRuns: 20_000 });
  });
});

describe('not plain, and left to those who say what is wrong with it,', () => {
  it.each([
    ['ts', '1.5'], ['ts', 'null'], ['latitude', '90.1'], ['longitude', '-180.1'], ['altitude', '1e3'], ['altitude', '1234567890.123456'],
    ['satellites', '-1'], ['satellites', '32768'], ['satellites', '1.5'], ['valid', 'null'], ['valid', '1'], ['priority', '32768'],
    ['eventId', '-2147483648'], ['speed', '01'], ['speed', '-'], ['speed', ''], ['speed', '1.'], ['speed', '.5'], ['speed', '+1'],
  ] as const)('is a %s of %s', (name, text) => {
    expect(read(withField(name, text))).toBeNull();
  });

  it.each([
    ['attributes that are shorter than is said', textOf(PLAIN, ATTRIBUTES, 3)],
    ['attributes that are longer than is said', textOf(PLAIN, ATTRIBUTES, 100)],
    ['attributes that are no object', textOf(PLAIN, '[]')],
    ['a field too few', textOf(PLAIN.slice(1))],
    ['a field too many', textOf([...PLAIN, '1'])],
    ['white space', textOf(PLAIN).replace(',', ', ')],
    ['no bracket', textOf(PLAIN).slice(1)],
  ])('are %s', (_, text) => {
    expect(read(text)).toBeNull();
  });

  it('is what is cut off anywhere', () => {
    const text = Buffer.from(textOf(PLAIN));
    for (let end = 0; end < text.length; end += 1) expect(new PlainReader(text.subarray(0, end)).record(0)).toBeNull();
  });
});
