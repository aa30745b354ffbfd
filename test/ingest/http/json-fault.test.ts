import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonFault } from '../../../src/ingest/http/json-fault.ts';

describe('the place where JSON ends to be JSON', () => {
  it.each([
    ['', 1, 1],
    ['nul', 1, 1],
    ['[1, 2', 1, 6],
    ['[1, 2]]', 1, 7],
    ['[1,]', 1, 4],
    ['{"a":1,}', 1, 8],
    ['{"a" 1}', 1, 6],
    ['{a: 1}', 1, 2],
    ['[\n  {"deviceId": "x"},\n  {"deviceId": \'y\'}\n]', 3, 16],
    ['["a\nb"]', 1, 2],
    ['[01]', 1, 3],
    ['[1}', 1, 3],
    ['{}x', 1, 3],
  ])('is told for %j', (text, line, column) => {
    expect(() => { JSON.parse(text); }).toThrow(SyntaxError);
    expect(jsonFault(text)).toEqual({ line, column });
  });

  it('is the end of a text that was cut, wherever it was cut, or the beginning of what was cut in two', () => {
    const texts = fc.json().filter((text) => /^[[{]/.test(text));
    fc.assert(fc.property(texts, fc.nat(), (text, at) => {
      const cut = text.slice(0, at % text.length);
      const { column } = jsonFault(cut);
      expect(column - 1).toBeLessThanOrEqual(cut.length);
      // What is before it can be completed: nothing in it is at fault.
      expect(jsonFault(`${cut.slice(0, column - 1)}\u0001`).column).toBe(column);
    }));
  });

  it('is found in a text that is nested as deep as it is long', () => {
    expect(jsonFault('['.repeat(1_000_000))).toEqual({ line: 1, column: 1_000_001 });
  });
});
