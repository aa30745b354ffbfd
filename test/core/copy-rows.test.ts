/** The binary COPY format, against rows worked out by hand from PostgreSQL's documentation of COPY. */
import { describe, expect, test } from 'vitest';
import type { PositionRow } from '../../src/core/copy-rows.ts';
import { encodeCopy } from '../../src/core/copy-rows.ts';

const HEADER = '5047434f50590aff0d0a00' + '00000000' + '00000000';
const TRAILER = 'ffff';

const FULL: PositionRow = {
  deviceId: 258,
  receivedAt: 946_684_802_000,
  record: {
    ts: 946_684_801_001, latitude: 1, longitude: -2, altitude: 0.5, course: 1, speed: 2, satellites: 7, hdop: -1,
    valid: true, priority: -2, eventId: 239, attributesJson: Buffer.from('{"a":1}'),
  },
};

/** The 14 fields, each its length and its value. */
const FULL_HEX = [
  '000e',
  '00000008' + '0000000000000102', // device_id
  '00000008' + '00000000000f4628', // ts: 1,001,000 µs after 2000-01-01
  '00000004' + '000000ef', // event_id
  '00000008' + '00000000001e8480', // received_at: 2 s
  '00000008' + '3ff0000000000000', // latitude
  '00000008' + 'c000000000000000', // longitude
  '00000004' + '3f000000', // altitude
  '00000004' + '3f800000', // course
  '00000004' + '40000000', // speed
  '00000004' + 'bf800000', // hdop
  '00000002' + '0007', // satellites
  '00000001' + '01', // valid
  '00000002' + 'fffe', // priority
  '00000008' + '01' + '7b2261223a317d', // attributes: version of jsonb, text
].join('');

const BARE: PositionRow = {
  deviceId: 1,
  receivedAt: 0,
  record: {
    ts: -1, latitude: null, longitude: null, altitude: null, course: null, speed: null, satellites: null, hdop: null,
    valid: false, priority: 0, eventId: -1, attributesJson: Buffer.from('{}'),
  },
};

const NULL = 'ffffffff';
const BARE_HEX = [
  '000e',
  '00000008' + '0000000000000001',
  '00000008' + 'fffca2fec4c81c18', // 1 ms before 1970: −946,684,800,001,000 µs
  '00000004' + 'ffffffff',
  '00000008' + 'fffca2fec4c82000', // 1970
  NULL.repeat(7),
  '00000001' + '00',
  '00000002' + '0000',
  '00000003' + '01' + '7b7d',
].join('');

describe('encodeCopy', () => {
  test('a row with every value', () => {
    expect(encodeCopy([FULL]).toString('hex')).toBe(HEADER + FULL_HEX + TRAILER);
  });

  test('a row with every null, and times before 2000', () => {
    expect(encodeCopy([BARE]).toString('hex')).toBe(HEADER + BARE_HEX + TRAILER);
  });

  test('rows follow each other', () => {
    expect(encodeCopy([FULL, BARE, FULL]).toString('hex')).toBe(HEADER + FULL_HEX + BARE_HEX + FULL_HEX + TRAILER);
  });

  test('no rows are a header and a trailer', () => {
    expect(encodeCopy([]).toString('hex')).toBe(HEADER + TRAILER);
  });

  test('times beyond 2^53 microseconds are exact', () => {
    const ts = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
    const encoded = encodeCopy([{ ...BARE, record: { ...BARE.record, ts } }]);
    const offset = (HEADER.length + '000e'.length + 24 + 8) / 2;
    expect(encoded.readBigInt64BE(offset)).toBe(BigInt(ts - Date.UTC(2000, 0)) * 1_000n);
  });
});
