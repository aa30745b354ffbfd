import { describe, expect, it } from 'vitest';
import { crc16Ibm } from '../../../src/protocols/teltonika/crc16.ts';

/** Bit by bit, as the algorithm is defined. */
function bitwise(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}

describe('CRC-16/IBM', () => {
  it('has the check value of its catalogue entry', () => {
    expect(crc16Ibm(Buffer.from('123456789'))).toBe(0xbb3d);
  });

  it('is the same eight bytes a step as bit by bit, at every length and offset', () => {
    const bytes = Buffer.from(Array.from({ length: 40 }, (_, index) => (index * 151 + 7) & 0xff));
    for (let start = 0; start < 12; start += 1) {
      for (let end = start; end <= bytes.length; end += 1) {
        expect(crc16Ibm(bytes, start, end)).toBe(bitwise(bytes.subarray(start, end)));
      }
    }
  });
});
