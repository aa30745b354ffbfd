import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordLimits } from '../../../src/ingest/http/record.ts';
import { checkRecord, isFault } from '../../../src/ingest/http/record.ts';
import { recordSchema } from '../../../src/ingest/http/record-schema.ts';
import { parseAttributes } from '../../../src/shared/attributes.ts';
import { decodeRecord, encodeRecord, readRecords } from '../../../src/shared/contracts/stored-record.ts';

const NOW = Date.parse('2026-11-25T12:00:00Z');
const DAY_MS = 86_400_000;
const LIMITS: RecordLimits = { now: NOW, maxPastMs: 366 * DAY_MS, maxFutureMs: 300_000, maxRecordBytes: 65_536 };
const BOUNDLESS: RecordLimits = { ...LIMITS, maxPastMs: Infinity, maxFutureMs: Infinity, maxRecordBytes: Infinity };

function json(record: unknown, limits = LIMITS): string {
  const checked = checkRecord(record, limits);
  if (isFault(checked)) expect.fail(`${checked.reason} ${checked.field}: ${checked.message}`);
  return checked.json;
}

function stored(record: unknown) {
  const [result] = readRecords(Buffer.from(`[${json(record)}]`));
  if (result?.ok !== true) expect.fail('not readable');
  return decodeRecord(result.record);
}

function fault(record: unknown, limits = LIMITS) {
  const checked = checkRecord(record, limits);
  if (!isFault(checked)) expect.fail('accepted');
  return checked;
}

const minimal = { deviceId: 'sensor-1', ts: NOW };

describe('a record over HTTP', () => {
  it('needs a device and a time, and nothing else', () => {
    expect(stored(minimal)).toEqual({
      ts: NOW, latitude: null, longitude: null, altitude: null, course: null, speed: null, satellites: null, hdop: null,
      valid: false, priority: 0, eventId: 0, attributes: new Map(),
    });
  });

  it('keeps every field as it is given', () => {
    const given = {
      ts: NOW, latitude: 54.6872, longitude: 25.2797, altitude: 112.5, course: 271, speed: 43.2, satellites: 9,
      hdop: 0.8, valid: false, priority: 2, eventId: 253,
    };
    const attributes = {
      ignition: true, fuel: 41.5, note: 'Vilnius – Kaunas', vin: { __buffer_b64: 'AQID' }, iccid: { __bigint: '89370012345678901234' },
    };
    const kept = { ...given, attributes: parseAttributes(JSON.stringify(attributes)) };
    expect(stored({ ...minimal, ...given, attributes })).toEqual(kept);
  });

  it('is as valid as it has coordinates where it does not say', () => {
    expect(stored({ ...minimal, latitude: 1, longitude: 2 }).valid).toBe(true);
  });

  it('may have its time as RFC 3339 with a zone', () => {
    expect(stored({ ...minimal, ts: '2026-11-25T13:59:30.250+02:00' }).ts).toBe(NOW - 29_750);
  });

  it('is written as a protocol writes it', () => {
    const attributes = { a: -0, b: 1e-7, c: 'quoted "text"', d: false };
    const record = { ...stored({ ...minimal, latitude: 1.5, longitude: -2.25 }), attributes: parseAttributes('{"a":-0,"b":1e-7,"c":"quoted \\"text\\"","d":false}') };
    expect(json({ ...minimal, latitude: 1.5, longitude: -2.25, attributes })).toBe(encodeRecord(record));
  });

  it.each([
    [{ ...minimal, ts: NOW + 300_001 }, 'clock_ahead', 'ts'],
    [{ ...minimal, ts: NOW - 367 * DAY_MS }, 'clock_behind', 'ts'],
    [{ ...minimal, ts: NOW / 1_000 }, 'bad_field', 'ts'],
    [{ deviceId: 'sensor-1' }, 'bad_field', 'ts'],
    [{ ...minimal, ts: NOW + 0.5 }, 'bad_field', 'ts'],
    [{ ...minimal, ts: '2026-11-25T12:00:00' }, 'bad_field', 'ts'],
    [{ ...minimal, ts: '2026-02-30T12:00:00Z' }, 'bad_field', 'ts'],
    [{ ts: NOW }, 'bad_field', 'deviceId'],
    [{ ...minimal, deviceId: '../admin' }, 'bad_field', 'deviceId'],
    [{ ...minimal, deviceId: 'x'.repeat(129) }, 'bad_field', 'deviceId'],
    [{ ...minimal, deviceId: 12 }, 'bad_field', 'deviceId'],
    [{ ...minimal, latitude: 91, longitude: 0 }, 'bad_field', 'latitude'],
    [{ ...minimal, latitude: 9 }, 'bad_field', 'longitude'],
    [{ ...minimal, longitude: 9 }, 'bad_field', 'latitude'],
    [{ ...minimal, satellites: 1.5 }, 'bad_field', 'satellites'],
    [{ ...minimal, altitude: 1e39 }, 'bad_field', 'altitude'],
    [{ ...minimal, valid: null }, 'bad_field', 'valid'],
    [{ ...minimal, lat: 9 }, 'bad_field', 'lat'],
    [{ ...minimal, receivedAt: NOW }, 'bad_field', 'receivedAt'],
    [{ ...minimal, attributes: [] }, 'bad_field', 'attributes'],
    [{ ...minimal, attributes: { door: null } }, 'bad_field', 'attributes.door'],
    [{ ...minimal, attributes: { door: { open: true } } }, 'bad_field', 'attributes.door'],
    [{ ...minimal, attributes: { door: [1] } }, 'bad_field', 'attributes.door'],
    [{ ...minimal, attributes: { text: 'a\0b' } }, 'bad_field', 'attributes.text'],
    [{ ...minimal, attributes: { rounded: 2 ** 53 } }, 'bad_field', 'attributes.rounded'],
    [{ ...minimal, attributes: { '': 1 } }, 'bad_field', 'attributes.'],
    [{ ...minimal, attributes: Object.fromEntries(Array.from({ length: 513 }, (_, n) => [`a${n}`, n])) }, 'record_too_large', 'attributes'],
    [{ ...minimal, attributes: { text: 'x'.repeat(65_536) } }, 'record_too_large', ''],
    ['sensor', 'bad_field', ''],
    [null, 'bad_field', ''],
  ] as const)('is refused with its reason and the field at fault: %j', (record, reason, field) => {
    expect(fault(record)).toMatchObject({ reason, field, message: expect.stringMatching(/./) as string });
  });

  it('is told that seconds are no milliseconds', () => {
    for (const limits of [LIMITS, BOUNDLESS]) {
      expect(fault({ ...minimal, ts: NOW / 1_000 }, limits).message).toBe('expected epoch milliseconds, got seconds');
    }
  });

  it.each([
    [{ ...minimal, lat: 9 }, 'no field of a record: did you mean latitude?'],
    [{ ...minimal, device_id: 'a' }, 'no field of a record: did you mean deviceId?'],
    [{ ...minimal, temperature: 9 }, 'no field of a record: measurements belong into attributes'],
    [{ ts: NOW }, 'is missing: expected 1 to 128 letters, digits or . _ : @ + -, not beginning with . : @ or -'],
    [{ deviceId: 'a' }, 'is missing: expected epoch milliseconds, or a time like 2026-11-25T12:00:00Z with its zone'],
    [{ ...minimal, latitude: 91, longitude: 0 }, 'expected degrees from -90 to 90 or null, got 91'],
    [{ ...minimal, speed: '9' }, 'expected a number or null, got "9"'],
  ])('is told what to mend: %j', (record, message) => {
    expect(fault(record).message).toBe(message);
  });

  it('may lie at the limits of time', () => {
    for (const ts of [NOW + 300_000, NOW - 366 * DAY_MS]) expect(stored({ ...minimal, ts }).ts).toBe(ts);
  });
});

const odd = fc.oneof(
  fc.constantFrom(null, true, false, '', 'text', 0, -0, 1, 90, 90.1, -180, 32_767, 32_768, 2 ** 31, 2 ** 53, 1e21, 1e39, 1.5, '2026-11-25T12:00:00Z', '2026-02-30T00:00:00Z', '\0', '\ud800'),
  fc.double(), fc.string(), fc.integer(), fc.constant([]), fc.constant({}),
  fc.record({ __bigint: fc.constantFrom('1', '-0', '007', '', 'x', 5) }, { requiredKeys: [] }),
  fc.record({ __buffer_b64: fc.constantFrom('AQID', 'A', '', 'AQ==') }),
  fc.constant({ __bigint: '1', more: 1 }),
);
const attributes = fc.oneof({ weight: 5, arbitrary: fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('constructor', '0', 'x'.repeat(129))), odd, { maxKeys: 4 }) }, odd);
const good = {
  deviceId: fc.constantFrom('356307042441013', 'a', 'x'.repeat(128)), ts: fc.constantFrom(NOW, '2026-11-25T12:00:00.5+01:00', 0),
  latitude: fc.constantFrom(null, 12.5, 90), longitude: fc.constantFrom(null, -180),
  altitude: fc.float({ noNaN: true }),
  course: fc.constant(90), speed: fc.constant(40), satellites: fc.nat({ max: 32_767 }),
  hdop: fc.constant(0.7), valid: fc.boolean(),
  priority: fc.constant(1), eventId: fc.integer({ min: -2_147_483_647 }),
};
const field = (arbitrary: fc.Arbitrary<unknown>) => fc.oneof({ weight: 12, arbitrary }, odd);
const fields: Record<string, fc.Arbitrary<unknown>> = {
  ...Object.fromEntries(Object.entries(good).map(([name, arbitrary]) => [name, field(arbitrary)])), attributes,
};
const record = fc.tuple(fc.record(fields, { requiredKeys: ['deviceId', 'ts'] }), fc.nat({ max: 20 }))
  .map(([given, dice]): unknown => (dice === 0 ? { ...given, lat: 1 } : given));

describe('the schema of the OpenAPI document', () => {
  it('accepts what the checks by hand accept, and nothing else', () => {
    let accepted = 0;
    fc.assert(fc.property(record, (generated) => {
      // What comes over HTTP has been JSON.
      const parsed: unknown = JSON.parse(JSON.stringify(generated));
      const checked = checkRecord(parsed, BOUNDLESS);
      expect(recordSchema.safeParse(parsed).success, JSON.stringify([parsed, checked])).toBe(!isFault(checked));
      if (!isFault(checked)) accepted += 1;
    }), { numRuns: 20_000 });
    expect(accepted).toBeGreaterThan(1_000);
  });

  it('is agreed with by what is stored: a record that is accepted can be read back', () => {
    fc.assert(fc.property(record, (generated) => {
      const checked = checkRecord(JSON.parse(JSON.stringify(generated)), BOUNDLESS);
      if (isFault(checked)) return;
      const [result] = readRecords(Buffer.from(`[${checked.json}]`));
      expect(result?.ok === true && decodeRecord(result.record)).toBeTruthy();
    }), { numRuns: 5_000 });
  });
});
