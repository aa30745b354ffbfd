import { describe, expect, test } from 'vitest';
import { KnownDevices } from '../../src/live/devices/known-devices.ts';
import type { LivePosition } from '../../src/live/messages/position-json.ts';
import { positionJson, snapshotJson } from '../../src/live/messages/position-json.ts';

function at(ts: number, fields: Partial<LivePosition> = {}): LivePosition {
  return {
    deviceId: 'a', receivedAt: 5, ts, eventId: 0, latitude: 1, longitude: 2, altitude: null, course: null, speed: null,
    satellites: null, hdop: null, valid: true, priority: 0, attributes: '{}', ...fields,
  };
}

const origin = (entryId: string, partition = 0) => ({ partition, entryId });

describe('known devices', () => {
  test('take for news what is newer by time and event, in whatever order it comes', () => {
    const known = new KnownDevices(10, ['0-0']);
    const order = [at(5), at(3), at(5, { eventId: 1 }), at(5), at(5, { eventId: 1 }), at(6)];
    expect(order.map((position) => known.observe(position, origin('1-0')))).toEqual([true, false, true, false, false, true]);
    expect(known.get('a')?.newest?.ts).toBe(6);
  });

  test('keep the place of the newest record that has one, though it comes late', () => {
    const known = new KnownDevices(10, ['0-0']);
    known.observe(at(5, { latitude: null, longitude: null }), origin('1-0'));
    expect(known.get('a')?.place).toBeNull();
    expect(known.observe(at(4, { latitude: 9 }), origin('1-1'))).toBe(false);
    known.observe(at(3, { latitude: 8 }), origin('1-2'));
    expect(known.get('a')).toMatchObject({ newest: { ts: 5 }, place: { ts: 4, latitude: 9 } });
  });

  test('know what is newer than a cursor, by partition', () => {
    const known = new KnownDevices(10, ['1-0', '1-0']);
    known.observe(at(1), origin('5-3', 1));
    const device = known.get('a')!;
    expect(known.hasNewsSince(device, ['9-0', '5-2'])).toBe(true);
    expect(known.hasNewsSince(device, ['0-0', '5-3'])).toBe(false);
    expect([known.covers(['1-0', '1-0']), known.covers(['9-0', '0-9']), known.covers(['2-0', '7-7'])]).toEqual([true, false, true]);
  });

  test('forget the device that was not heard of for the longest, and cover no more than they know', () => {
    const known = new KnownDevices(2, ['0-0']);
    for (const [n, deviceId] of ['a', 'b', 'c'].entries()) known.observe(at(1, { deviceId }), origin(`${n + 1}-0`));
    expect([known.get('a'), known.size]).toEqual([undefined, 2]);
    expect([known.covers(['0-5']), known.covers(['1-0'])]).toEqual([false, true]);
  });

  test('doubt everything when entries were missed', () => {
    const known = new KnownDevices(10, ['0-0']);
    known.observe(at(1), origin('3-0'));
    known.verify('a');
    known.doubtAll(['4-0']);
    expect(known.get('a')?.verified).toBe(false);
    expect([known.covers(['3-0']), known.covers(['4-0'])]).toEqual([false, true]);
  });
});

describe('a position as JSON', () => {
  test('is every field, with the attributes as they are', () => {
    const position = at(5, { deviceId: 'a"b\\', attributes: '{"n":1.50,"big":{"__bigint":"9007199254740993"}}' });
    expect(positionJson(position)).toContain('"attributes":{"n":1.50,"big":{"__bigint":"9007199254740993"}}');
    expect(JSON.parse(positionJson(position))).toEqual({ ...position, attributes: { n: 1.5, big: { __bigint: '9007199254740993' } } });
  });

  test('in a snapshot is the newest record at the last known place', () => {
    const newest = at(5, { latitude: null, longitude: null, speed: null, valid: false });
    const place = at(3, { latitude: 7, speed: 80 });
    const expected = { ts: 5, valid: false, fixTs: 3, latitude: 7, longitude: 2, speed: 80 };
    expect(JSON.parse(snapshotJson(newest, place))).toMatchObject(expected);
    expect(JSON.parse(snapshotJson(newest, null))).toMatchObject({ ts: 5, fixTs: null, latitude: null });
  });
});
