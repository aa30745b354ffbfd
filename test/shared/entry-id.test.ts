/** Ids of stream entries compare as numbers, to the last of their 128 bits. */
import { describe, expect, test } from 'vitest';
import { earlier, parseEntryId } from '../../src/shared/contracts/entry-id.ts';

const earlierOf = (a: string, b: string): string => earlier(parseEntryId(a), parseEntryId(b)).join('-');

describe('earlier', () => {
  test.each([
    ['9-0', '10-0', '9-0'],
    ['10-9', '10-10', '10-9'],
    ['1-5', '1-5', '1-5'],
    ['0-0', '18446744073709551615-18446744073709551615', '0-0'],
    ['18446744073709551615-18446744073709551614', '18446744073709551615-18446744073709551615', '18446744073709551615-18446744073709551614'],
  ])('of %s and %s is %s, whichever comes first', (a, b, expected) => {
    expect(earlierOf(a, b)).toBe(expected);
    expect(earlierOf(b, a)).toBe(expected);
  });
});

test('an id without a sequence has the sequence 0', () => {
  expect(parseEntryId('1526919030474')).toEqual([1_526_919_030_474n, 0n]);
});
