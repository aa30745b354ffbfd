/** Attributes as jsonb prints them, against entries worked out by hand. */
import { describe, expect, test } from 'vitest';
import { AttributeRollup } from '../../../src/core/rollups/attributes.ts';

/** In the middle of other bytes, as a record stands in what the socket has given. */
function take(rollup: AttributeRollup, ...records: readonly string[]): void {
  for (const record of records) {
    const json = Buffer.from(`"${record}"`);
    rollup.take(json, 1, json.length - 1);
  }
}

function minuteOf(...records: readonly string[]): unknown {
  const rollup = new AttributeRollup();
  take(rollup, ...records);
  return JSON.parse(rollup.closeMinute());
}

describe('the entry of a name is', () => {
  test('the value where there is one, true and false as 1 and 0', () => {
    expect(minuteOf('{"a": -1.5, "b": true, "c": false}')).toEqual({ a: -1.5, b: 1, c: 0 });
  });

  test('the count and the value where all are equal, however they are written', () => {
    expect(minuteOf('{"a": 2.5}', '{"a": 2.50}', '{"a": 2.5}')).toEqual({ a: [3, 2.5] });
  });

  test('count, sum, least, greatest, first and last where they differ', () => {
    expect(minuteOf('{"a": 3}', '{"a": 0.1}', '{"a": 0.2}')).toEqual({ a: [3, 3.3, 0.1, 3, 3, 0.2] });
  });

  test('exact beyond what a double can tell', () => {
    const rollup = new AttributeRollup();
    take(rollup, '{"a": 9007199254740993}', '{"a": 9007199254740992}');
    expect(rollup.closeMinute()).toBe(
      '{"a":[2,18014398509481985,9007199254740992,9007199254740993,9007199254740993,9007199254740992]}');
  });

  test('nothing where there is no number', () => {
    expect(minuteOf('{}', '{"a": null, "b": "1", "c": [1, {"d": 2}], "e": {"f": "}\\"", "g": 1}}')).toEqual({});
  });
});

test('what is skipped does not hide what follows', () => {
  const record = '{"a": "}\\\\", "b": 1, "c": {"x": ["]", {}]}, "d": 2, "e": [], "f": 3}';
  expect(minuteOf(record)).toEqual({ b: 1, d: 2, f: 3 });
});

test('names come and go and change their order', () => {
  expect(minuteOf('{"a": 1, "b": 2}', '{"b": 3, "c": 4}', '{"a": 5}', '{"ab": 1, "b": 2}')).toEqual({
    a: [2, 6, 1, 5, 1, 5], b: [3, 7, 2, 3, 2, 2], c: 4, ab: 1 });
});

test('names keep their escapes, and characters of any alphabet', () => {
  expect(minuteOf('{"q\\"\\\\": 1, "é🚚": 2, "__proto__": 3}')).toEqual(JSON.parse('{"q\\"\\\\": 1, "é🚚": 2, "__proto__": 3}'));
});

test('minutes make up their hour, and what comes after it is not in it', () => {
  const rollup = new AttributeRollup();
  take(rollup, '{"a": 1, "b": 7}', '{"a": 2, "b": 7}');
  rollup.closeMinute();
  take(rollup, '{"a": 0.5}');
  expect(rollup.closeMinute()).toBe('{"a":0.5}');
  expect(JSON.parse(rollup.closeHour())).toEqual({ a: [3, 3.5, 0.5, 2, 1, 0.5], b: [2, 7] });
  take(rollup, '{"a": 9}');
  expect(rollup.closeMinute()).toBe('{"a":9}');
  expect(rollup.closeHour()).toBe('{"a":9}');
});
