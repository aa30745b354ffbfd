import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeAlarm, encodeCommandReply, encodeHeartbeat, encodeLocation, encodeLogin, encodeOriginalLocation,
  encodeTimeRequest,
} from '../../../src/protocols/gt06/encode.ts';
import { gt06 } from '../../../src/protocols/gt06/index.ts';
import { accepted, bytes, eventsOf, handled, RECEIVED_AT } from './support.ts';

const fixes = fc.record({
  ts: fc.integer({ min: Date.UTC(2001, 0, 1) / 1000, max: Date.UTC(2099, 11, 30) / 1000 }).map((s) => s * 1000),
  latitude: fc.integer({ min: -162_000_000, max: 162_000_000 }).map((units) => units / 1_800_000),
  longitude: fc.integer({ min: -324_000_000, max: 324_000_000 }).map((units) => units / 1_800_000),
  speed: fc.integer({ min: 0, max: 255 }),
  course: fc.integer({ min: 0, max: 359 }),
  satellites: fc.integer({ min: 0, max: 15 }),
  valid: fc.constant(true),
});
const states = fc.record({
  ignition: fc.boolean(),
  charge: fc.boolean(),
  armed: fc.boolean(),
  blocked: fc.boolean(),
  voltageLevel: fc.integer({ min: 0, max: 6 }),
  signal: fc.integer({ min: 0, max: 4 }),
});
const uploads = fc.record({
  ignition: fc.boolean(),
  mode: fc.integer({ min: 0, max: 15 }),
  archive: fc.boolean(),
  odometer: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});
const cells = fc.record({
  mcc: fc.integer({ min: 200, max: 799 }),
  mnc: fc.integer({ min: 0, max: 255 }),
  lac: fc.integer({ min: 1, max: 65535 }),
  cellId: fc.integer({ min: 1, max: 0xffffff }),
});
const serials = fc.integer({ min: 0, max: 0xffff });

describe('what is encoded', () => {
  it('is the bytes of the document: login, heartbeat, time request', () => {
    expect(encodeLogin({ imei: '752533678900242', modelCode: 0x7000, zoneMinutes: 480 }, 5).subarray(0, 14))
      .toEqual(bytes('7878110107525336789002427000').subarray(0, 14));
    expect(encodeLogin({ imei: '123456789012345' }, 1)).toEqual(bytes('78780d01012345678901234500018cdd0d0a'));
    expect(encodeTimeRequest(6)).toEqual(bytes('7878058A000688290D0A'));
  });

  it('comes back as a login', () => {
    fc.assert(fc.property(fc.integer({ min: -720, max: 840 }), serials, (zoneMinutes, serial) => {
      const frame = encodeLogin({ imei: '867717003664467', modelCode: 0x3600, zoneMinutes }, serial);
      expect(eventsOf(frame)).toEqual([{ kind: 'frame', bytes: frame }]);
      const { session } = accepted(gt06.handle(gt06.open(), frame, RECEIVED_AT));
      expect(session.deviceId).toBe('867717003664467');
      expect(session.zoneOffsetMs + 0).toBe(zoneMinutes * 60_000);
    }), { numRuns: 100 });
  });

  it('comes back as a location', () => {
    fc.assert(fc.property(fixes, uploads, cells, serials, (fix, upload, cell, serial) => {
      const [record] = accepted(handled(encodeLocation(fix, upload, serial, cell))).records;
      expect(record).toMatchObject({ ...fix, latitude: fix.latitude + 0, longitude: fix.longitude + 0 });
      expect(Object.fromEntries(record!.attributes)).toEqual({
        type: 0x22,
        cell1: `${cell.mcc},${cell.mnc},${cell.lac},${cell.cellId}`,
        ignition: upload.ignition,
        event: upload.mode,
        archive: upload.archive,
        odometer: upload.odometer,
      });
    }), { numRuns: 200 });
  });

  it('comes back as a location in UTC from any time zone', () => {
    fc.assert(fc.property(fixes, fc.integer({ min: -720, max: 840 }), serials, (fix, zoneMinutes, serial) => {
      const frame = encodeOriginalLocation(fix, zoneMinutes, serial);
      const [record] = accepted(handled(frame, RECEIVED_AT, zoneMinutes)).records;
      expect(record!.ts).toBe(fix.ts);
    }), { numRuns: 100 });
  });

  it('comes back as a heartbeat', () => {
    fc.assert(fc.property(states, serials, (state, serial) => {
      const [record] = accepted(handled(encodeHeartbeat(state, serial))).records;
      expect(record).toMatchObject({ ts: RECEIVED_AT, latitude: null, longitude: null, valid: false });
      expect(Object.fromEntries(record!.attributes)).toMatchObject({
        ignition: state.ignition,
        charge: state.charge,
        armed: state.armed,
        blocked: state.blocked,
        rssi: state.signal,
        batteryLevel: [0, 16, 33, 50, 66, 83, 100][state.voltageLevel],
      });
    }), { numRuns: 100 });
  });

  it('comes back as an alarm', () => {
    fc.assert(fc.property(fixes, states, fc.integer({ min: 1, max: 255 }), serials, (fix, state, code, serial) => {
      const [record] = accepted(handled(encodeAlarm(fix, state, code, serial))).records;
      expect(record).toMatchObject({ ts: fix.ts, speed: fix.speed, course: fix.course, eventId: code });
      expect(record!.attributes.get('event')).toBe(code);
    }), { numRuns: 100 });
  });

  it('comes back as the answer to a command', () => {
    const [record] = accepted(handled(encodeCommandReply('RELAY:1', 42, 9))).records;
    expect(Object.fromEntries(record!.attributes)).toEqual({ type: 0x21, serverFlag: 42, result: 'RELAY:1' });
  });

  it('is refused where a field cannot carry the value', () => {
    expect(() => encodeLogin({ imei: 'abc' }, 1)).toThrow(RangeError);
    expect(() => encodeCommandReply('x'.repeat(70_000), 0, 1)).toThrow(RangeError);
  });
});
