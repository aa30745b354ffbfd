import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crcItu } from '../../../src/protocols/gt06/crc-itu.ts';
import { encodeHeartbeat, encodeLogin } from '../../../src/protocols/gt06/encode.ts';
import { buildFrame } from '../../../src/protocols/gt06/frame.ts';
import { gt06 } from '../../../src/protocols/gt06/index.ts';
import { accepted, bytes, handled, IMEI, loggedIn, RECEIVED_AT } from './support.ts';

const LOCATION = bytes('787822220F0C1D023305C9027AC8180C46586000140001CC00287D001F71000001000820860D0A');
const HEARTBEAT = bytes('78780A134004040001000FDCEE0D0A');
/** The terminal information of encodeHeartbeat. */
const STATE = { ignition: true, charge: true, armed: false, blocked: false, voltageLevel: 4, signal: 3 };

describe('CRC-ITU', () => {
  it('has the check value of CRC-16/X.25', () => {
    expect(crcItu(Buffer.from('123456789'))).toBe(0x906e);
  });
});

describe('the login', () => {
  it('names the device, without the leading 0, and is answered by number and serial', () => {
    const frame = bytes('78781101075253367890024270003201000512790D0A');
    const result = accepted(gt06.handle(gt06.open(), frame, RECEIVED_AT));
    expect(result.session).toEqual({ deviceId: '752533678900242', zoneOffsetMs: 8 * 3_600_000 });
    expect(result.reply).toEqual(bytes('7878050100059FF80D0A'));
    expect([result.records, result.rejected, result.denial]).toEqual([[], [], null]);
  });

  it('keeps a sixteenth digit', () => {
    const result = accepted(gt06.handle(gt06.open(), encodeLogin({ imei: '8612345678901234' }, 1), RECEIVED_AT));
    expect(result.session.deviceId).toBe('8612345678901234');
  });

  it.each([
    ['no time zone', '0123456789012345', 0],
    ['GMT+8', '0123456789012345 7000 3200', 480],
    ['GMT-12:45', '0123456789012345 7000 4dd8', -765],
    ['GMT+5:30', '0123456789012345 7000 2121', 330],
    ['a field that is no time zone', '0123456789012345 7000 fff0', 0],
  ])('says how far local time is ahead: %s', (_, content, minutes) => {
    const result = accepted(gt06.handle(gt06.open(), buildFrame(0x01, bytes(content), 1), RECEIVED_AT));
    expect(result.session.zoneOffsetMs).toBe(minutes * 60_000);
  });

  it.each([
    ['a digit above 9', '012345678901234a'], ['too few digits', '01234567890123'], ['only zeros', '0000000000000000'],
  ])('is refused and closed with %s', (_, content) => {
    const result = gt06.handle(gt06.open(), buildFrame(0x01, bytes(content), 1), RECEIVED_AT);
    expect(result).toMatchObject({ kind: 'refused', code: 'invalid_imei', close: true });
  });

  it('may come again on the same connection', () => {
    const session = loggedIn();
    const result = accepted(gt06.handle(session, encodeLogin({ imei: '999999999999999' }, 2), RECEIVED_AT));
    expect(result.session.deviceId).toBe('999999999999999');
  });

  it('comes before everything else', () => {
    for (const frame of [LOCATION, HEARTBEAT, bytes('7878001717102311082900 01cc00 0d0a')]) {
      const result = gt06.handle(gt06.open(), frame, RECEIVED_AT);
      expect(result).toMatchObject({ kind: 'refused', code: 'not_logged_in', close: true });
    }
  });
});

describe('the checksum', () => {
  it('refuses a frame with any bit of it flipped, without an answer, and leaves the connection open', () => {
    for (const frame of [LOCATION, HEARTBEAT, encodeLogin({ imei: IMEI }, 1)]) {
      for (let bit = 0; bit < 16; bit += 1) {
        const flipped = Buffer.from(frame);
        const at = frame.length - 4 + (bit >> 3);
        flipped[at] = flipped[at]! ^ 1 << (bit & 7);
        expect(gt06.handle(loggedIn(), flipped, RECEIVED_AT)).toMatchObject({
          kind: 'refused', code: 'checksum_mismatch', close: false, replyWhenDeadLettered: null,
        });
      }
    }
  });

  it('refuses a frame with any bit of its content flipped', () => {
    for (let bit = 3 * 8; bit < (LOCATION.length - 4) * 8; bit += 1) {
      const flipped = Buffer.from(LOCATION);
      flipped[bit >> 3] = flipped[bit >> 3]! ^ 1 << (bit & 7);
      expect(handled(flipped)).toMatchObject({ kind: 'refused' });
    }
  });

  it('is missed in a packet too short to have one, which closes nothing', () => {
    expect(handled(bytes('787801080d0a'))).toMatchObject({ kind: 'refused', code: 'checksum_mismatch', close: false });
  });
});

describe('the key of a record', () => {
  const eventIds = (frames: readonly Buffer[]): number[] =>
    frames.flatMap((frame) => accepted(handled(frame)).records.map((record) => record.eventId));

  const fix = '1a0304050607 c9 027ac818 0c465860 2a 1400';
  const cell = '01cc 00 287d 001f71';

  it('tells periodic record, corner, alarm, address request and OBD data of one second apart', () => {
    const frames = [
      buildFrame(0x22, bytes(`${fix}${cell}010000`), 1),
      buildFrame(0x22, bytes(`${fix}${cell}010200`), 2),
      buildFrame(0x26, bytes(`${fix}09${cell}4606040202`), 3),
      buildFrame(0x26, bytes(`${fix}09${cell}4606040002`), 4),
      buildFrame(0x2a, bytes(`${fix}${'00'.repeat(21)}0002`), 5),
      buildFrame(0x8c, bytes('1a0304050607 01 cb 027ac818 0c465860 54 14a6'), 6, true),
    ];
    expect(eventIds(frames)).toEqual([0, 0x1002, 0x02, 0x2026, 0x202a, 0x208c]);
  });

  it('tells packets without a fix apart by number and content, and not by their serial number', () => {
    const ids = eventIds([
      encodeHeartbeat(STATE, 1), encodeHeartbeat({ ...STATE, signal: 2 }, 2), encodeHeartbeat(STATE, 3),
    ]);
    expect(ids[0]).toBe(ids[2]);
    expect(ids[0]).not.toBe(ids[1]);
    for (const id of ids) expect(id >>> 16).toBe(0x13);
  });

  it('fits into 32 signed bits', () => {
    const [id] = eventIds([buildFrame(0xf3, bytes('260304050607 00'), 1)]);
    expect(id).toBeLessThan(2 ** 31);
  });
});

describe('what no layout covers', () => {
  it('is kept as data', () => {
    const frame = buildFrame(0x13, bytes('46 06 04 0002 c0ffee'), 1);
    const [record] = accepted(handled(frame)).records;
    expect(record!.attributes.get('data')).toEqual(bytes('c0ffee'));
  });

  it('does not change with the chunk that it came in', () => {
    const frame = buildFrame(0x13, bytes('46 06 04 0002 c0ffee'), 1);
    const [record] = accepted(handled(frame)).records;
    frame.fill(0);
    expect(record!.attributes.get('data')).toEqual(bytes('c0ffee'));
  });
});

describe('the answer', () => {
  it.each([
    ['80', 0x80, false], ['81', 0x81, false], ['82', 0x82, false], ['unknown behind 7979', 0xfe, true],
  ])('is none to %s', (_, type, isExtended) => {
    const content = bytes('04000000000002');
    expect(accepted(handled(buildFrame(type, content, 1, isExtended))).reply).toBeNull();
  });

  it('goes to packets of unknown number, whose frame is kept', () => {
    const frame = buildFrame(0x14, bytes('0102'), 0x1234);
    const result = accepted(handled(frame));
    expect(result.reply).toEqual(buildFrame(0x14, Buffer.alloc(0), 0x1234));
    expect(result.rejected).toMatchObject([{ code: 'unknown_codec', raw: frame }]);
  });
});

describe('any content', () => {
  const types = fc.integer({ min: 0, max: 255 });
  const contents = fc.uint8Array({ maxLength: 120 });

  it('of any type, with a good CRC, is a value', () => {
    const session = loggedIn(-180);
    fc.assert(fc.property(types, contents, fc.boolean(), (type, content, isExtended) => {
      const result = gt06.handle(session, buildFrame(type, content, 7, isExtended), RECEIVED_AT);
      if (result.kind === 'refused') return;
      for (const record of result.records) {
        expect(Number.isSafeInteger(record.ts) && Number.isSafeInteger(record.eventId)).toBe(true);
        expect(Math.abs(record.latitude ?? 0)).toBeLessThanOrEqual(90);
        expect(Math.abs(record.longitude ?? 0)).toBeLessThanOrEqual(180);
        expect(record.course ?? 0).toBeLessThanOrEqual(360);
      }
    }), { numRuns: 3000 });
  });

  it('that is no frame at all is refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (array) => {
      expect(handled(Buffer.from(array)).kind).toBe('refused');
    }), { numRuns: 500 });
  });

  it('cut anywhere is a record or a rejection', () => {
    const content = LOCATION.subarray(4, -6);
    for (let length = 0; length < content.length; length += 1) {
      const result = accepted(handled(buildFrame(0x22, content.subarray(0, length), 1)));
      expect(result.records.length + result.rejected.length).toBe(1);
      expect(result.reply).not.toBeNull();
    }
  });
});
