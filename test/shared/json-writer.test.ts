/** JSON as bytes: numbers and texts look as JavaScript shows them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonWriter } from '../../src/shared/json-writer.ts';

const json = new JsonWriter();

function written(write: (json: JsonWriter) => void): string {
  json.clear();
  write(json);
  return json.toString();
}

const shown = (value: number): string => written((to) => { to.number(value); });

describe('a number', () => {
  it.each([
    0, 1, 9, 10, 99, 100, 9_999_999, 10_000_000, 10_000_001, 1_795_478_400_000, 99_999_999_999_999, 2 ** 53, 1e20, 1e21,
    0.1, 0.3, 12.5, 54.6872, 179.9999999, 0.0000001, 0.000001, 0.0000015, 4.052, 1.5e-7, 5e-324, 1.797e308, 0.1 + 0.2,
    100_000_000.0000001, 1 / 3, 2 ** 31, 2 ** 32 + 0.5,
  ])('%d looks as String shows it', (value) => {
    expect(shown(value)).toBe(String(value));
    if (value !== 0) expect(shown(-value)).toBe(String(-value));
  });

  it('keeps the sign of a negative zero', () => {
    expect(shown(-0)).toBe('-0');
  });

  it('looks as String shows it, whatever it is', () => {
    const any = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(fc.property(any, (value) => { expect(shown(value)).toBe(Object.is(value, -0) ? '-0' : String(value)); }));
  });

  it('looks as String shows it when it is a decimal as decoders make it', () => {
    const scaled = fc.tuple(fc.maxSafeInteger(), fc.constantFrom(1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 0.001));
    fc.assert(fc.property(scaled, ([integer, scale]) => {
      for (const value of [integer / scale, (integer % 2 ** 31) / scale]) {
        expect(shown(value)).toBe(Object.is(value, -0) ? '-0' : String(value));
      }
    }), { numRuns: 20_000 });
  });
});

describe('text', () => {
  it('stays what it is, in any language, and longer than what is kept', () => {
    for (const text of ['', 'plain', 'ü€😀', 'x'.repeat(100_000), 'ü'.repeat(3_000_000)]) {
      expect(written((to) => { to.text(text); })).toBe(text);
    }
    expect(written((to) => { to.text('a'); to.character(0x2c); to.characters(Buffer.from('bc')); })).toBe('a,bc');
  });

  it('is counted in bytes', () => {
    written((to) => { to.text('ü'); });
    expect(json.length).toBe(2);
  });
});
