import { describe, expect, it } from 'vitest';
import type { AttributeValue } from '../../../src/shared/model.ts';
import { encodeAvlFrame } from '../../../src/protocols/teltonika/encode.ts';
import type { AvlIoElement } from '../../../src/protocols/teltonika/encode.ts';
import { avlRecord, onlyRecord } from './frames.ts';

function list(id: number, hex: string): AvlIoElement {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  return [id, bytes.length, bytes];
}

function attributes(...io: AvlIoElement[]): Record<string, AttributeValue> {
  return Object.fromEntries(onlyRecord(encodeAvlFrame([avlRecord(io)], '8E')).attributes);
}

describe('a beacon list', () => {
  it('names iBeacons and Eddystone beacons with what their flags announce', () => {
    expect(attributes(list(
      385,
      '12 21 6b817f8a274d4fbdb62d33e1842f8df8 014d 022b bf 07 00112233445566778899 abcde0810047 ae 0be8 0015',
    ))).toEqual({
      beaconPart: 1,
      beaconParts: 2,
      beacon1Uuid: '6b817f8a274d4fbdb62d33e1842f8df8',
      beacon1Major: 333,
      beacon1Minor: 555,
      beacon1Rssi: -65,
      beacon2Namespace: '00112233445566778899',
      beacon2Instance: 'abcde0810047',
      beacon2Rssi: -82,
      beacon2Battery: 3.048,
      beacon2Temp: 21,
    });
  });

  it('of no bytes is kept as it is', () => {
    expect(attributes([385, 0, Buffer.alloc(0)], [548, 0, Buffer.alloc(0)]))
      .toEqual({ io385: Buffer.alloc(0), io548: Buffer.alloc(0) });
  });

  it('that breaks off is kept raw', () => {
    expect(attributes(list(385, '11 21 6b817f'), list(548, '01 0f 0001 c6'))).toEqual({
      io385: Buffer.from('11216b817f', 'hex'),
      io548: Buffer.from('010f0001c6', 'hex'),
    });
  });
});

describe('a list of tags', () => {
  it('names the parameters of the vendor\'s table in their units', () => {
    expect(attributes(list(
      11_317,
      '00 34 00 01 c6 05 04 45594531 06 02 fb5d 07 01 49 08 01 01 09 01 00 0a 02 0102 0b 01 f6 0c 02 ff4c 0d 01 01'
      + '0e 02 0bfe 0f 06 7cd9f401ef77 10 02 0007',
    ))).toEqual({
      tag1Rssi: -58,
      tag1Name: 'EYE1',
      tag1Temp: -11.87,
      tag1Humidity: 73,
      tag1Magnet: true,
      tag1Motion: false,
      tag1MotionCount: 258,
      tag1Pitch: -10,
      tag1AngleRoll: -180,
      tag1LowBattery: true,
      tag1Battery: 3070,
      tag1Mac: '7cd9f401ef77',
      tag1MagnetCount: 7,
    });
  });

  it('reads battery flags out of the captured data of an EYE beacon', () => {
    expect(attributes(list(548, '01 0f 00 01 c6 01 06 babbf3630055 02 02 806d 0e 00 01 ca 01 06 063456555565 02 01 40')))
      .toEqual({
        tag1Rssi: -58,
        tag1Id: 'babbf3630055',
        tag1LowBattery: false,
        tag1Voltage: 3090,
        tag2Rssi: -54,
        tag2Id: '063456555565',
        tag2LowBattery: true,
      });
  });

  it('keeps other captured data, and parameters that it does not know, as they are', () => {
    expect(attributes(list(548, '01 0d 02 05 0201060303 42 02 0102 06 00'))).toEqual({
      tag1Data: Buffer.from('0201060303', 'hex'),
      tag1Parameter66: Buffer.from('0102', 'hex'),
      tag1Parameter6: Buffer.alloc(0),
    });
  });

  it('goes on counting where one record has two lists', () => {
    const one = '01 03 00 01 c6';
    expect(attributes(list(10_828, one), list(10_829, one))).toEqual({ tag1Rssi: -58, tag2Rssi: -58 });
  });
});
