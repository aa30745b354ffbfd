/** Arrays in PostgreSQL's binary format, against one worked out by hand from `array_send` and `array_recv`. */
import { expect, test } from 'vitest';
import { encodeArray, jsonbBytes } from '../../src/core/binary-format.ts';

test('an array of numbers with a null', () => {
  const encoded = encodeArray('int2', [1, null, -2], (to, item) => { to.int2(item); });
  expect(encoded.toString('hex')).toBe([
    '00000001', // dimensions
    '00000001', // it may hold nulls
    '00000015', // int2
    '00000003', // elements
    '00000001', // lower bound
    '00000002' + '0001', 'ffffffff', '00000002' + 'fffe',
  ].join(''));
});

test('an array of jsonb, whose elements are of any length', () => {
  const items = [Buffer.from('{}'), Buffer.from(`{"a":"${'x'.repeat(100)}"}`)];
  const encoded = encodeArray('jsonb', items, (to, item) => { to.jsonb(item); }, jsonbBytes);
  expect(encoded.subarray(20).toString('latin1')).toBe(`\0\0\0\x03\x01{}\0\0\0\x6d\x01${items[1]?.toString()}`);
  expect(encoded.readInt32BE(8)).toBe(3_802);
});

test('an array without elements', () => {
  expect(encodeArray('bool', [], () => undefined).toString('hex')).toBe('0000000100000001000000100000000000000001');
});
