import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PING, encodeAvlFrame, encodeLogin } from '../../../src/protocols/teltonika/encode.ts';
import { teltonika } from '../../../src/protocols/teltonika/index.ts';
import { DOCUMENTED_FRAME, IMEI, LOGGED_IN, accepted, avlRecord, dataOf, frameOf, handle, refused } from './frames.ts';

const NEW_CONNECTION = teltonika.open();

describe('a login', () => {
  it('is answered 01, or 00 where the device is not allowed, and names the device', () => {
    const login = accepted(handle(encodeLogin(IMEI), NEW_CONNECTION));
    expect(login.session).toEqual({ deviceId: IMEI });
    expect(login.reply).toEqual(Buffer.from([1]));
    expect(login.denial).toEqual(Buffer.from([0]));
    expect(login.records).toEqual([]);
  });

  it('takes identifiers of 14 to 16 digits', () => {
    for (const digits of ['12345678901234', '123456789012345', '1234567890123456']) {
      expect(accepted(handle(encodeLogin(digits), NEW_CONNECTION)).session.deviceId).toBe(digits);
    }
  });

  it('is refused and closes the connection for anything else', () => {
    for (const text of ['1', '1234567890123', '12345678901234567', '35630704244101x', '35630704244101\0', '٣٥٦']) {
      const login = refused(handle(encodeLogin(text), NEW_CONNECTION));
      expect(login).toMatchObject({ code: 'invalid_imei', close: true, session: NEW_CONNECTION });
    }
  });

  it('in the middle of a connection changes the device', () => {
    expect(accepted(handle(encodeLogin('352093081452251'))).session.deviceId).toBe('352093081452251');
  });
});

describe('a ping', () => {
  it('is accepted before and after the login, without an answer', () => {
    for (const session of [NEW_CONNECTION, LOGGED_IN]) {
      const ping = accepted(handle(PING, session));
      expect(ping).toEqual({ kind: 'accepted', session, records: [], rejected: [], reply: null, denial: null });
    }
  });
});

describe('a data frame', () => {
  it('is acknowledged with its number of records in four bytes', () => {
    const records = Array.from({ length: 7 }, (_, index) => avlRecord([[21, 1, index]]));
    for (const codec of ['8', '8E', '16'] as const) {
      const data = accepted(handle(encodeAvlFrame(records, codec)));
      expect(data.reply).toEqual(Buffer.from([0, 0, 0, 7]));
      expect(data.records).toHaveLength(7);
      expect(data.session).toBe(LOGGED_IN);
    }
  });

  it('of no records is acknowledged with 0', () => {
    const data = accepted(handle(encodeAvlFrame([], '8E')));
    expect(data.reply).toEqual(Buffer.alloc(4));
    expect(data.records).toEqual([]);
  });

  it('before the login is refused and closes the connection', () => {
    expect(refused(handle(DOCUMENTED_FRAME, NEW_CONNECTION))).toMatchObject({ code: 'not_logged_in', close: true });
  });

  it('is refused for every single flipped bit, and the connection goes on', () => {
    for (let bit = 8 * 8; bit < 8 * DOCUMENTED_FRAME.length; bit += 1) {
      const damaged = Buffer.from(DOCUMENTED_FRAME);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(refused(handle(damaged)), `bit ${bit}`)
        .toMatchObject({ code: 'checksum_mismatch', close: false, replyWhenDeadLettered: null, session: LOGGED_IN });
    }
  });

  it('whose counts differ is not acknowledged until it is dead-lettered', () => {
    const data = Buffer.from(dataOf(encodeAvlFrame([avlRecord(), avlRecord()], '8')));
    data[data.length - 1] = 3;
    const mismatch = refused(handle(frameOf(data)));
    expect(mismatch).toMatchObject({ code: 'count_mismatch', close: false });
    expect(mismatch.replyWhenDeadLettered).toEqual(Buffer.from([0, 0, 0, 2]));
  });

  it('that is not as long as it says closes the connection', () => {
    for (const frame of [DOCUMENTED_FRAME.subarray(0, -1), Buffer.concat([DOCUMENTED_FRAME, Buffer.alloc(1)])]) {
      expect(refused(handle(frame))).toMatchObject({ code: 'length_out_of_range', close: true });
    }
  });
});

describe('any bytes at all', () => {
  it('give a result, logged in or not', () => {
    const frames = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.tuple(
        fc.constantFrom(0x07, 0x08, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x8e),
        fc.uint8Array({ minLength: 2, maxLength: 120 }),
      )
        .map(([codecId, rest]) => frameOf(Buffer.from([codecId, rest[0]! % 4, ...rest.subarray(1, -1), rest[0]! % 4]))),
    ).map((bytes) => Buffer.from(bytes));
    fc.assert(fc.property(frames, (frame) => {
      for (const session of [NEW_CONNECTION, LOGGED_IN]) {
        expect(['accepted', 'refused']).toContain(handle(frame, session).kind);
      }
      expect(['accepted', 'refused']).toContain(teltonika.handleDatagram!(frame, 0).handled.kind);
    }), { numRuns: 1_500 });
  });

  it('cut short anywhere give a result', () => {
    const frame = encodeAvlFrame([avlRecord([[239, 1, 1], [11, 8, 5n], [548, 9, Buffer.alloc(9, 1)]])], '8E');
    for (let length = 0; length <= frame.length; length += 1) {
      expect(['accepted', 'refused']).toContain(handle(frame.subarray(0, length)).kind);
    }
  });
});
