/**
 * CRC-ITU as the Concox documents print it, which is CRC-16/X.25: polynomial 0x1021 reflected (0x8408), initial value
 * 0xFFFF, inverted at the end. Never throws.
 */
const REFLECTED_POLYNOMIAL = 0x8408;

const table = makeTable();

/** CRC-ITU of `bytes` from `start` (inclusive) to `end` (exclusive). */
export function crcItu(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0xffff;
  for (let at = start; at < end; at += 1) {
    // Both indexes are in range: `at` is below `end`, and the table has an entry for every byte.
    crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] as number)) & 0xff] as number);
  }
  return crc ^ 0xffff;
}

function makeTable(): Uint16Array {
  const entries = new Uint16Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ REFLECTED_POLYNOMIAL;
    entries[byte] = crc;
  }
  return entries;
}
