import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../../src/ingest/http/lines.ts';

function linesOf(chunks: readonly Buffer[], maxBytes = 1_000): (string | null)[] {
  const splitter = new LineSplitter(maxBytes);
  const lines = [...chunks.flatMap((chunk) => [...splitter.push(chunk)]), ...splitter.end()];
  return lines.map((line) => (line.kind === 'line' ? line.bytes.toString() : null));
}

describe('lines', () => {
  it('are the same however the bytes were split', () => {
    const text = '{"a":1}\r\n\n{"b":"ü"}\n{"c":3}';
    const bytes = Buffer.from(text);
    const whole = ['{"a":1}', '', '{"b":"ü"}', '{"c":3}'];
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(linesOf([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
    }
    expect(linesOf([...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  it('that are too long are told once and passed over, at every split', () => {
    const bytes = Buffer.from(`ab\n${'x'.repeat(11)}\ncd\n${'y'.repeat(10)}\n${'z'.repeat(40)}`);
    const expected = ['ab', null, 'cd', 'y'.repeat(10), null];
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(linesOf([bytes.subarray(0, at), bytes.subarray(at)], 10)).toEqual(expected);
    }
    expect(linesOf([...bytes].map((byte) => Buffer.from([byte])), 10)).toEqual(expected);
  });

  it('give all bytes back', () => {
    const text = fc.array(fc.constantFrom('a', 'bc', '\n', '\r', 'dé'), { maxLength: 60 }).map((parts) => parts.join(''));
    fc.assert(fc.property(text, fc.array(fc.nat({ max: 60 })), (given, cuts) => {
      const bytes = Buffer.from(given);
      const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      const lines = given.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
      if (lines.at(-1) === '') lines.pop();
      expect(linesOf(chunks)).toEqual(lines);
    }));
  });
});
