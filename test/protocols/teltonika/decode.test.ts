import { describe, expect, it } from 'vitest';
import { encodeAvlFrame } from '../../../src/protocols/teltonika/encode.ts';
import { accepted, avlRecord, dataOf, frameOf, frameOfHex, handle, onlyRecord } from './frames.ts';

describe('the position of a record', () => {
  it('is read with its signs', () => {
    const record = onlyRecord(encodeAvlFrame(
      [avlRecord([], { longitude: -70.7061911, latitude: -33.5423734, altitude: -12, angle: 359, speed: 131 })], '8E',
    ));
    expect(record).toMatchObject({
      longitude: -70.7061911, latitude: -33.5423734, altitude: -12, course: 359, speed: 131, satellites: 12,
      valid: true,
    });
  });

  it('is absent where the device says 0,0, with or without satellites', () => {
    for (const satellites of [0, 5]) {
      const record = onlyRecord(encodeAvlFrame([avlRecord([], { longitude: 0, latitude: 0, satellites })], '8'));
      expect(record).toMatchObject({
        latitude: null, longitude: null, altitude: null, course: null, speed: null, satellites, valid: false,
      });
    }
  });

  it('is kept and not valid where it is the last known one', () => {
    const record = onlyRecord(encodeAvlFrame([avlRecord([], { satellites: 0 })], '8'));
    expect(record).toMatchObject({ latitude: 54.6872, longitude: 25.2797, speed: 48, valid: false });
  });

  it('is not valid where the GNSS status says that there is no fix', () => {
    const valid = [0, 1, 2, 3].map((status) => onlyRecord(encodeAvlFrame([avlRecord([[69, 1, status]])], '8')).valid);
    expect(valid).toEqual([false, true, false, true]);
  });

  it('on the equator or the prime meridian is a position', () => {
    for (const zero of [{ latitude: 0 }, { longitude: 0 }]) {
      expect(onlyRecord(encodeAvlFrame([avlRecord([], zero)], '8'))).toMatchObject({ ...zero, valid: true });
    }
  });

  it('has hdop as a field and as an attribute', () => {
    const record = onlyRecord(encodeAvlFrame([avlRecord([[182, 2, 7]])], '8'));
    expect(record.hdop).toBe(0.7);
    expect(record.attributes.get('hdop')).toBe(0.7);
    expect(onlyRecord(encodeAvlFrame([avlRecord()], '8')).hdop).toBeNull();
  });

  it('has no course where the angle is none, and keeps the angle', () => {
    const record = onlyRecord(encodeAvlFrame([avlRecord([], { angle: 65_535 })], '8'));
    expect(record.course).toBeNull();
    expect(record.attributes.get('angle')).toBe(65_535);
  });
});

describe('a record that cannot be', () => {
  it('is rejected alone: its neighbours stay and the whole count is acknowledged', () => {
    const faults = [
      ['latitude', { latitude: 90.0000001 }], ['latitude', { latitude: -214 }],
      ['longitude', { longitude: 180.0000001 }], ['ts', { ts: 8.64e15 + 2 }],
    ] as const;
    for (const [field, fault] of faults) {
      const frame = encodeAvlFrame([avlRecord(), avlRecord([], fault), avlRecord([[21, 1, 3]])], '8E');
      const data = accepted(handle(frame));
      expect(data.records.map((record) => record.attributes.size)).toEqual([0, 1]);
      expect(data.rejected).toMatchObject([{ code: 'bad_field', field: `records[1].${field}` }]);
      expect(data.rejected[0]?.raw.equals(frame)).toBe(true);
      expect(data.reply).toEqual(Buffer.from([0, 0, 0, 3]));
    }
  });

  it('is not one at the last time and in the last corners of the world', () => {
    const corner = avlRecord([], { latitude: -90, longitude: 180, ts: 8.64e15 });
    expect(onlyRecord(encodeAvlFrame([corner], '16'))).toMatchObject({ latitude: -90, longitude: 180, ts: 8.64e15 });
  });
});

describe('a frame with a good checksum that cannot be decoded', () => {
  it('is acknowledged in full wherever it was cut, and the records before the cut are kept', () => {
    const io = [[239, 1, 1], [66, 2, 12_500], [16, 4, 1000], [78, 8, 5n], [256, 3, Buffer.from('VIN')]] as const;
    const whole = dataOf(encodeAvlFrame([avlRecord(io), avlRecord(io), avlRecord(io)], '8E'));
    const recordBytes = (whole.length - 3) / 3;
    for (let length = 2; length < whole.length - 1; length += 1) {
      const data = accepted(handle(frameOf(Buffer.concat([whole.subarray(0, length), whole.subarray(-1)]))));
      expect(data.records).toHaveLength(Math.floor((length - 2) / recordBytes));
      expect(data.rejected).toMatchObject([{ code: 'truncated', field: `records[${data.records.length}]` }]);
      expect(data.reply).toEqual(Buffer.from([0, 0, 0, 3]));
    }
  });

  it('of an unknown codec is kept raw and acknowledged', () => {
    const frame = frameOfHex('99 05 0102030405 06');
    const data = accepted(handle(frame));
    expect(data.records).toEqual([]);
    expect(data.rejected).toMatchObject([{ code: 'unknown_codec', field: 'codecId' }]);
    expect(data.rejected[0]?.raw.equals(frame)).toBe(true);
    expect(data.reply).toEqual(Buffer.from([0, 0, 0, 5]));
  });

  it('and ends too early keeps the records before the fault', () => {
    const whole = dataOf(encodeAvlFrame([1, 2, 3].map((rssi) => avlRecord([[21, 1, rssi]])), '8E'));
    const cut = frameOf(Buffer.concat([whole.subarray(0, -8), whole.subarray(-1)]));
    const data = accepted(handle(cut));
    expect(data.records.map((record) => record.attributes.get('rssi'))).toEqual([1, 2]);
    expect(data.rejected).toMatchObject([{ code: 'truncated', field: 'records[2]' }]);
    expect(data.reply).toEqual(Buffer.from([0, 0, 0, 3]));
  });

  it('and goes on behind the last record keeps the records before the fault', () => {
    const whole = dataOf(encodeAvlFrame([avlRecord([[21, 1, 1]])], '8E'));
    const longer = frameOf(Buffer.concat([whole.subarray(0, -1), Buffer.from([9, 9]), whole.subarray(-1)]));
    const data = accepted(handle(longer));
    expect(data.records).toHaveLength(1);
    expect(data.rejected).toMatchObject([{ code: 'trailing_bytes', message: '2 bytes behind the last record' }]);
    expect(data.rejected[0]?.raw.equals(longer)).toBe(true);
    expect(data.reply).toEqual(Buffer.from([0, 0, 0, 1]));
  });

  it('keeps no record that was read out of step', () => {
    const data = Buffer.from(dataOf(encodeAvlFrame([avlRecord([[21, 1, 1], [22, 1, 2]]), avlRecord()], '8')));
    data[28] = 1; // N1 says 1, there are 2
    const handled = accepted(handle(frameOf(data)));
    expect(handled.records).toEqual([]);
    expect(handled.rejected).toMatchObject([{ field: 'records[0]' }]);
    expect(handled.reply).toEqual(Buffer.from([0, 0, 0, 2]));
  });

  it('gives the same again when its raw bytes are decoded again', () => {
    const frame = encodeAvlFrame([avlRecord(), avlRecord([], { latitude: 100 })], '8E');
    const raw = accepted(handle(frame)).rejected[0]!.raw;
    expect(accepted(handle(raw))).toEqual(accepted(handle(frame)));
  });
});

describe('codec 8 with a group of 16-byte elements', () => {
  const SIXTEEN = '00112233445566778899aabbccddeeff';
  const HEAD = '0000018985b3e800 00 0f0e5750 209ab738 0070 00d6 0c 0030 00';
  const GROUPS = '01 15 04 00 00 00';

  it('is found by the documented layout not consuming the frame', () => {
    const frame = frameOfHex(`08 02 ${HEAD} 02 ${GROUPS} 01 cb ${SIXTEEN} ${HEAD} 01 ${GROUPS} 00 02`);
    const data = accepted(handle(frame));
    expect(data.rejected).toEqual([]);
    expect(data.records.map(({ attributes }) => [...attributes])).toEqual([
      [['rssi', 4], ['io203', Buffer.from(SIXTEEN, 'hex')]],
      [['rssi', 4]],
    ]);
    expect(data.reply).toEqual(Buffer.from([0, 0, 0, 2]));
  });
});

describe('codec 16', () => {
  it('keeps the generation type', () => {
    const record = onlyRecord(encodeAvlFrame([avlRecord([[1, 1, 1]], { generationType: 5, eventId: 4711 })], '16'));
    expect([...record.attributes]).toEqual([['in1', true], ['generationType', 5]]);
    expect(record.eventId).toBe(4711);
  });
});
