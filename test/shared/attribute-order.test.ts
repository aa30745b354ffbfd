/** Attributes stand in the order in which PostgreSQL keeps them, whatever order they come in. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeAttributes, encodeParsedAttributes } from '../../src/shared/attributes.ts';

const name = fc.stringMatching(/^[a-zA-Z0-9_.]{1,12}$/);

test('shorter names come first, those of one length by their bytes', () => {
  fc.assert(fc.property(fc.uniqueArray(name, { maxLength: 20 }), (names) => {
    const written = [...encodeAttributes(new Map(names.map((one, n) => [one, n]))).matchAll(/"([^"]+)":(\d+)/g)];
    const sorted = names.toSorted((a, b) => a.length - b.length || Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const expected = sorted.map((one) => [one, String(names.indexOf(one))]);
    expect(written.map(([, one, value]) => [one, value])).toEqual(expected);
    // What comes over HTTP is written in the same order.
    const parsed = JSON.parse(`{${names.map((one, n) => `${JSON.stringify(one)}:${n}`).join()}}`) as object;
    expect(encodeParsedAttributes(parsed)).toBe(encodeAttributes(new Map(names.map((one, n) => [one, n]))));
  }), { numRuns: 200 });
});

test.each([
  ['a name beyond ASCII', 'žluťoučký'], ['a name with a quotation mark', 'a"b'], ['a name that is too long to be kept', 'a'.repeat(65)],
])('%s is kept, and so is what stands around it', (_, special) => {
  const attributes = new Map<string, number | boolean>([['speedLimit', 1], [special, 2], ['a', true]]);
  expect(JSON.parse(encodeAttributes(attributes))).toEqual({ speedLimit: 1, [special]: 2, a: true });
});

test('clients that make names up leave trackers their order', () => {
  for (let n = 0; n < 10_000; n += 1) encodeParsedAttributes({ [`invented ${n}`]: n });
  expect(encodeAttributes(new Map([['ofATracker', 1], ['zz', 2], ['a', 3]]))).toBe('{"a":3,"zz":2,"ofATracker":1}');
});

test('with more different names than are kept every attribute is written', () => {
  for (let n = 0; n < 10_000; n += 1) {
    const attributes = new Map([[`made up ${n}`, n], ['b', n], ['a', n]]);
    expect(JSON.parse(encodeAttributes(attributes))).toEqual({ [`made up ${n}`]: n, b: n, a: n });
  }
});
