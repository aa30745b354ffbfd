/** Arrays in PostgreSQL's binary format, against one worked out by hand from `array_send` and `array_recv`. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BinaryWriter, encodeArray, jsonbBytes } from '../../src/core/binary-format.ts';

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

/** The bytes of one value, without the length before them. */
function value(bytes: number, write: (writer: BinaryWriter) => void): Buffer {
  const writer = new BinaryWriter(Buffer.allocUnsafe(4 + bytes));
  write(writer);
  return writer.finish().subarray(4);
}

test('a bigint is exact at both ends of the safe integers', () => {
  fc.assert(fc.property(fc.maxSafeInteger(), (number) => {
    expect(value(8, (to) => { to.int8(number); }).readBigInt64BE()).toBe(BigInt(number));
  }));
  for (const number of [0, -1, 2 ** 32, -(2 ** 32), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    expect(value(8, (to) => { to.int8(number); }).readBigInt64BE()).toBe(BigInt(number));
  }
});

test('a time is exact in microseconds, from the first to the last that a Date can hold', () => {
  const since2000 = (epochMs: number): bigint => (BigInt(epochMs) - 946_684_800_000n) * 1_000n;
  const written = (epochMs: number): bigint => value(8, (to) => { to.timestamptz(epochMs); }).readBigInt64BE();
  fc.assert(fc.property(fc.integer({ min: -8.64e15, max: 8.64e15 }), (epochMs) => {
    expect(written(epochMs)).toBe(since2000(epochMs));
  }));
  for (const epochMs of [0, 946_684_800_000, 946_684_799_999, -8.64e15, 8.64e15, 1_700_000_000_123]) {
    expect(written(epochMs)).toBe(since2000(epochMs));
  }
});

test('an integer that its type cannot hold is refused, not wrapped around', () => {
  for (const number of [2 ** 31, -(2 ** 31) - 1, Number.NaN]) {
    expect(() => value(4, (to) => { to.int4(number); })).toThrow(RangeError);
  }
  for (const number of [2 ** 15, -(2 ** 15) - 1]) {
    expect(() => value(2, (to) => { to.int2(number); })).toThrow(RangeError);
  }
  expect(value(4, (to) => { to.int4(-(2 ** 31)); }).readInt32BE()).toBe(-(2 ** 31));
  expect(value(2, (to) => { to.int2(2 ** 15 - 1); }).readInt16BE()).toBe(2 ** 15 - 1);
});
