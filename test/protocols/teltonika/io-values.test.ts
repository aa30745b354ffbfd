import { describe, expect, it } from 'vitest';
import type { AttributeValue } from '../../../src/shared/model.ts';
import { encodeAvlFrame } from '../../../src/protocols/teltonika/encode.ts';
import type { AvlIoElement, AvlRecord } from '../../../src/protocols/teltonika/encode.ts';
import { avlRecord, onlyRecord } from './frames.ts';

function attributes(io: readonly AvlIoElement[], changes: Partial<AvlRecord> = {}): [string, AttributeValue][] {
  return [...onlyRecord(encodeAvlFrame([avlRecord(io, changes)], '8E')).attributes];
}

describe('an I/O element with a name', () => {
  it('has its sign, scale and type', () => {
    expect(attributes([
      [239, 1, 1], [240, 1, 0], [32, 1, -40], [17, 2, -1024], [66, 2, 12_661], [10_800, 2, -1187], [72, 4, -125],
    ])).toEqual([
      ['ignition', true], ['motion', false], ['coolantTemp', -40], ['axisX', -1024], ['power', 12.661],
      ['eyeTemp1', -11.87], ['temp1', -12.5],
    ]);
  });

  it('is scaled to the nearest number', () => {
    expect(attributes([[182, 2, 3], [12, 4, 4_294_967_295], [389, 4, 4_294_967_295]]))
      .toEqual([['hdop', 0.3], ['fuelUsedGps', 4_294_967.295], ['obdOdometer', 4_294_967_295_000]]);
  });

  it('is an identifier in digits where it is one', () => {
    expect(attributes([[78, 8, 0x0123456789abcdefn], [207, 8, 0xfedcba9876543210n], [11, 8, 8_937_001_150n]])).toEqual([
      ['driverUniqueId', 'EFCDAB8967452301'], ['rfid', 'FEDCBA9876543210'], ['iccid', '8937001150'],
    ]);
  });

  it('is kept raw where it is an identifier of zeros', () => {
    expect(attributes([[78, 8, 0n]])).toEqual([['io78', 0]]);
  });

  it('is kept raw in another width than its own: it is another family\'s element', () => {
    expect(attributes([[113, 4, 0xfffd8c85], [9, 1, 14]])).toEqual([['io9', 14], ['io113', 0xfffd8c85]]);
    expect(attributes([[4, 1, 1]])).toEqual([['in4', true]]);
    expect(attributes([[4, 4, 77]])).toEqual([['count1', 77]]);
  });

  it('is kept raw where its value is an error code', () => {
    expect(attributes([[25, 2, 32_767], [86, 2, 32_735], [72, 4, 850], [73, 4, 3000], [74, 4, 849]])).toEqual([
      ['io25', 32_767], ['io86', 32_735], ['io72', 850], ['io73', 3000], ['temp3', 84.9],
    ]);
  });

  it('is text where it is text, and the bytes where it is not', () => {
    expect(attributes([
      [256, 17, Buffer.from('WVWZZZ1KZAW000001')], [281, 11, Buffer.from('P0299,P0675')],
      [403, 5, Buffer.from('ffd8ff0001', 'hex')],
      [264, 6, Buffer.from('AB12\0\0')],
    ])).toEqual([
      ['vin', 'WVWZZZ1KZAW000001'], ['dtcs', 'P0299,P0675'], ['driverName', Buffer.from('ffd8ff0001', 'hex')],
      ['barcode', 'AB12'],
    ]);
  });
});

describe('an I/O element without a name', () => {
  it('is kept unsigned under its id', () => {
    expect(attributes([[60_001, 1, 255], [60_002, 2, -1], [60_003, 4, -1]]))
      .toEqual([['io60001', 255], ['io60002', 65_535], ['io60003', 4_294_967_295]]);
  });

  it('of 8 bytes is a number up to 2^53−1, and a bigint above', () => {
    expect(attributes([
      [60_001, 8, 0n], [60_002, 8, 2n ** 53n - 1n], [60_003, 8, 2n ** 53n], [60_004, 8, 2n ** 64n - 1n],
    ])).toEqual([
      ['io60001', 0], ['io60002', 9_007_199_254_740_991], ['io60003', 9_007_199_254_740_992n],
      ['io60004', 18_446_744_073_709_551_615n],
    ]);
  });

  it('of variable length is its bytes, even none', () => {
    expect(attributes([[60_001, 3, Buffer.from([1, 2, 3])], [60_002, 0, Buffer.alloc(0)]]))
      .toEqual([['io60001', Buffer.from([1, 2, 3])], ['io60002', Buffer.alloc(0)]]);
  });
});

describe('two elements of one record', () => {
  it('that share a name: the first has it, the other keeps its id and raw value', () => {
    expect(attributes([[66, 2, 12_000], [36, 2, 900], [85, 2, 901], [30, 1, 2]]))
      .toEqual([['faultCount', 2], ['power', 12], ['rpm', 900], ['io85', 901]]);
    expect(attributes([[83, 4, 1], [389, 4, 5], [87, 4, 6]]))
      .toEqual([['fuelUsed', 0.1], ['obdOdometer', 5000], ['io87', 6]]);
  });

  it('of the same id are both kept', () => {
    expect(attributes([[21, 1, 1], [21, 1, 2], [21, 1, 3]])).toEqual([['rssi', 1], ['io21', 2], ['io21_2', 3]]);
    expect(attributes([[6000, 2, 1], [6000, 2, 2], [6000, 8, 3]]))
      .toEqual([['io6000', 1], ['io6000_2', 2], ['io6000_3', 3]]);
  });
});

describe('the event of a record', () => {
  const alarm = (id: number, value: number): AttributeValue | undefined =>
    new Map(attributes([[id, 1, value]], { eventId: id, priority: 1 })).get('alarm');

  it('is an alarm where the documentation says so', () => {
    const alarms = [
      [253, 1, 'hardAcceleration'], [253, 2, 'hardBraking'], [253, 3, 'hardCornering'], [255, 97, 'overspeed'],
      [246, 1, 'tow'], [247, 1, 'accident'], [247, 6, 'accident'], [249, 1, 'jamming'], [318, 2, 'jamming'],
      [251, 1, 'idle'], [252, 1, 'powerCut'], [252, 0, 'powerRestored'], [155, 0, 'geofenceExit'],
      [155, 1, 'geofenceEnter'], [231, 3, 'overspeed'], [61, 1, 'geofenceEnter'], [175, 0, 'geofenceExit'],
      [175, 1, 'geofenceEnter'], [236, 1, 'general'], [1412, 1, 'fallDown'],
    ] as const;
    for (const [id, value, name] of alarms) expect(alarm(id, value), `${id}=${value}`).toBe(name);
  });

  it('is none where the event ends, or where there is nothing to alarm about', () => {
    for (const [id, value] of [[246, 0], [249, 0], [251, 0], [155, 2], [239, 1], [250, 1], [253, 9]] as const) {
      expect(alarm(id, value), `${id}=${value}`).toBeUndefined();
    }
  });

  it('is none in a periodic record that carries the same element', () => {
    expect(attributes([[253, 1, 2]])).toEqual([['greenDrivingType', 2]]);
  });

  it('is none where the element itself is missing', () => {
    expect(attributes([], { eventId: 253 })).toEqual([]);
  });
});
