import { describe, expect, it } from 'vitest';
import { FIRST_MESSAGE_EVENT_ID } from '../../../src/protocols/teltonika/codec-messages.ts';
import { encodeCommand, encodeCommandResponse } from '../../../src/protocols/teltonika/encode.ts';
import { RECEIVED_AT, accepted, dataOf, frameOf, frameOfHex, handle, onlyRecord, refused } from './frames.ts';

const text = (content: string): string => Buffer.from(content).toString('hex');

describe('a message', () => {
  it('is a record without a position, and takes no acknowledgement', () => {
    const frame = encodeCommandResponse('DI1:1 DI2:0');
    expect(accepted(handle(frame)).reply).toBeNull();
    const { attributes, eventId, ...record } = onlyRecord(frame);
    expect(record).toEqual({
      ts: RECEIVED_AT, latitude: null, longitude: null, altitude: null, course: null, speed: null, satellites: null,
      hdop: null, valid: false, priority: 0,
    });
    expect([...attributes]).toEqual([['messageCodec', 12], ['messageType', 6], ['result', 'DI1:1 DI2:0']]);
    expect(eventId).toBeGreaterThanOrEqual(FIRST_MESSAGE_EVENT_ID);
  });

  it('has the event id of its content: the same again is the same, another is another', () => {
    const ids = ['a', 'a', 'b'].map((content) => onlyRecord(encodeCommandResponse(content)).eventId);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it('that is a command keeps it as a command', () => {
    expect([...onlyRecord(encodeCommand('getinfo')).attributes])
      .toEqual([['messageCodec', 12], ['messageType', 5], ['command', 'getinfo']]);
  });

  it('that is not text keeps its bytes', () => {
    const result = onlyRecord(encodeCommandResponse(Buffer.from([0xff, 0, 1]))).attributes.get('result');
    expect(result).toEqual(Buffer.from([0xff, 0, 1]));
  });

  it('of a camera keeps its bytes, whatever they look like', () => {
    expect([...onlyRecord(frameOfHex('0c 01 0d 00000001 00 01')).attributes])
      .toEqual([['messageCodec', 12], ['messageType', 13], ['result', Buffer.from([0])]]);
  });

  it('of codec 13 has a time of its own, in seconds or in milliseconds', () => {
    const seconds = onlyRecord(frameOfHex(`0d 01 06 0000000b 5d31ca64 ${text('getinfo')} 01`));
    const milliseconds = onlyRecord(frameOfHex(`0d 01 06 0000000f 0000016c0a81c320 ${text('getinfo')} 01`));
    expect(seconds).toMatchObject({ ts: 1_563_544_164_000 });
    expect(milliseconds).toMatchObject({ ts: 1_563_544_372_000 });
    expect([seconds, milliseconds].map(({ attributes }) => attributes.get('result'))).toEqual(['getinfo', 'getinfo']);
  });

  it('of codec 13 may leave the time out of its size', () => {
    const record = onlyRecord(frameOfHex(`0d 01 06 00000007 5d31ca64 ${text('getinfo')} 01`));
    expect(record.ts).toBe(1_563_544_164_000);
    expect(record.attributes.get('result')).toBe('getinfo');
  });

  it('of a driver card reader names the driver', () => {
    const record = onlyRecord(frameOfHex(`0d 01 06 0000001a 5d31ca64 ${text('GTSL|6|1|0|12345678|1\n')} 01`));
    expect(record.attributes.get('driverUniqueId')).toBe('12345678');
    expect(record.attributes.get('result')).toBe('GTSL|6|1|0|12345678|1\n');
    expect(onlyRecord(encodeCommandResponse('GTSL|6')).attributes.has('driverUniqueId')).toBe(false);
  });

  it('of codec 14 names the device that it is for', () => {
    expect([...onlyRecord(frameOfHex(`0e 01 06 0000000e 0352093081452251 ${text('Ver:03')} 01`)).attributes])
      .toEqual([['messageCodec', 14], ['messageType', 6], ['messageImei', '0352093081452251'], ['result', 'Ver:03']]);
  });

  it('of codec 14 that refuses a command is a nack', () => {
    expect([...onlyRecord(frameOfHex('0e 01 11 00000008 0352093081452468 01')).attributes])
      .toEqual([['messageCodec', 14], ['messageType', 17], ['messageImei', '0352093081452468'], ['result', 'nack']]);
  });

  it('of codec 15 has a time and a device', () => {
    const record = onlyRecord(frameOfHex(`0f 01 0b 00000013 654b65a4 0123456789123456 ${text('Hello!\n')} 01`));
    expect(record.ts).toBe(1_699_440_036_000);
    expect([...record.attributes])
      .toEqual([['messageCodec', 15], ['messageType', 11], ['messageImei', '0123456789123456'], ['result', 'Hello!\n']]);
  });
});

describe('a message that cannot be decoded', () => {
  it('is kept raw and not acknowledged', () => {
    const frames = [
      ['truncated', '0c 01 06 00000009 414243 01'],
      ['trailing_bytes', '0c 01 06 00000002 414243 01'],
      ['truncated', '0e 01 06 00000003 414243 01'],
      ['truncated', '0f 01 06 00000006 414243444546 01'],
      ['truncated', '0d 01 06 01'],
    ] as const;
    for (const [code, hex] of frames) {
      const frame = frameOfHex(hex);
      const data = accepted(handle(frame));
      expect(data).toMatchObject({ records: [], reply: null, rejected: [{ code, field: 'message' }] });
      expect(data.rejected[0]?.raw.equals(frame)).toBe(true);
    }
  });

  it('whose quantities differ is refused, and never acknowledged', () => {
    const data = Buffer.from(dataOf(encodeCommandResponse('x')));
    data[data.length - 1] = 2;
    expect(refused(handle(frameOf(data)))).toMatchObject({ code: 'count_mismatch', replyWhenDeadLettered: null });
  });
});
