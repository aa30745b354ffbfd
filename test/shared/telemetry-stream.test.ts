import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordArray, decodeRecord, encodeRecord, encodeStored, readRecords } from '../../src/shared/contracts/stored-record.ts';
import { decodeEntry, encodeEntry, partitionOf, telemetryStream } from '../../src/shared/contracts/telemetry-stream.ts';
import type { TelemetryFrame, TelemetryRecord } from '../../src/shared/model.ts';

const real = fc.double({ noNaN: true, min: -1e30, max: 1e30 });
const text = fc.string({ unit: 'binary' }).map((given) => given.replaceAll('\0', ''));
const record: fc.Arbitrary<TelemetryRecord> = fc.record({
  ts: fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 }),
  latitude: fc.option(fc.double({ noNaN: true, min: -90, max: 90 })),
  longitude: fc.option(fc.double({ noNaN: true, min: -180, max: 180 })),
  altitude: fc.option(real),
  course: fc.option(real),
  speed: fc.option(real),
  satellites: fc.option(fc.integer({ min: 0, max: 32_767 })),
  hdop: fc.option(real),
  valid: fc.boolean(),
  priority: fc.integer({ min: -32_767, max: 32_767 }),
  eventId: fc.integer({ min: -2_147_483_647, max: 2_147_483_647 }),
  attributes: fc
    .array(fc.tuple(text, fc.oneof(fc.integer(), fc.bigInt(), fc.boolean(), text)))
    .map((pairs) => new Map<string, number | bigint | boolean | string>(pairs)),
});

/** JSON has one zero. */
function noNegativeZero(given: TelemetryRecord): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, Object.is(value, -0) ? 0 : value]));
}

const sample: TelemetryRecord = {
  ts: 1_717_387_864_011,
  latitude: -27.4388733,
  longitude: 153.080315,
  altitude: 9,
  course: 319,
  speed: 0,
  satellites: 14,
  hdop: null,
  valid: true,
  priority: 1,
  eventId: 548,
  attributes: new Map<string, string | boolean>([['ignition', true], ['driver', 'Žofie']]),
};
const frame = (records: readonly TelemetryRecord[]): TelemetryFrame => ({
  deviceId: '356307042441013', protocol: 'teltonika', receivedAt: 1_717_387_865_000, records,
});
const wire = (fields: readonly string[]): Buffer[] => fields.map((field) => Buffer.from(field));
const changed = (name: string, value: string): Buffer[] => {
  const fields = encodeEntry(frame([sample]));
  fields[fields.indexOf(name) + 1] = value;
  return wire(fields);
};

describe('a stream entry', () => {
  it('decodes to the frame that was encoded, for every record', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 5 }), (records) => {
        const entry = decodeEntry(wire(encodeEntry(frame(records))));
        const decoded = entry.records.map((result) => result.ok && decodeRecord(result.record));
        expect(decoded).toEqual(records.map(noNegativeZero));
        expect(entry).toMatchObject({ deviceId: '356307042441013', protocol: 'teltonika', receivedAt: 1_717_387_865_000 });
      }),
      { numRuns: 300 },
    );
  });

  it('is JSON of the documented form', () => {
    const [json] = encodeEntry(frame([sample])).slice(-1);
    expect(json).toBe('[[1717387864011,-27.4388733,153.080315,9,319,0,14,null,true,1,548,35,{"driver":"Žofie","ignition":true}]]');
    expect(JSON.parse(json ?? '')).toHaveLength(1);
  });

  it('hands the attributes on as the bytes they are', () => {
    const [result] = readRecords(Buffer.from(`[${encodeRecord(sample)}]`));
    expect(result?.ok === true && result.record.attributesJson.toString()).toBe('{"driver":"Žofie","ignition":true}');
  });

  it('gives back the text of a record that was read from it', () => {
    const [result] = readRecords(Buffer.from(`[${encodeRecord(sample)}]`));
    expect(result?.ok === true && encodeStored(result.record)).toBe(encodeRecord(sample));
  });

  it.each([
    ['version', '2', 'version'],
    ['device', '', 'device'],
    ['receivedAt', 'soon', 'receivedAt'],
    ['count', '2', 'count'],
    ['records', '{}', 'records'],
    ['records', '[[1]]', 'records[0]'],
    ['records', '[[1,2,3,4,5,6,7,8,true,1,1,9,{"a":1}]]', 'records[0]'],
    ['records', '', 'records'],
  ])('with a wrong %s (%s) is refused naming the field', (name, value, field) => {
    expect(() => decodeEntry(changed(name, value))).toThrow(expect.objectContaining({ name: 'CodecError', field }));
  });

  it('without a field is refused naming it', () => {
    expect(() => decodeEntry([])).toThrow(expect.objectContaining({ field: 'version' }));
  });

  it('keeps the neighbours of a record with a field out of range', () => {
    const good = encodeRecord(sample);
    const bad = good.replace('-27.4388733', '-127.4');
    const results = readRecords(Buffer.from(`[${good},${bad},${good}]`));
    expect(results.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(results[1]).toMatchObject({ error: { field: 'records[1].latitude' } });
  });

  it('never throws anything but a CodecError, for any damage', () => {
    const whole = encodeEntry(frame([sample, sample])).at(-1) ?? '';
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.string({ minLength: 0, maxLength: 3 }), (at, text) => {
        try {
          readRecords(Buffer.from(whole.slice(0, at) + text + whole.slice(at + 1)));
        } catch (error) {
          expect(error).toHaveProperty('name', 'CodecError');
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a record that cannot be stored', () => {
  it.each<[keyof TelemetryRecord, unknown]>([
    ['ts', 1.5], ['ts', 8.65e15], ['latitude', 90.1], ['longitude', Number.NaN], ['altitude', Number.POSITIVE_INFINITY],
    ['speed', 1e39], ['satellites', -1], ['satellites', 40_000], ['priority', 70_000], ['eventId', 2 ** 31],
  ])('is refused with the field: %s = %s', (field, value) => {
    expect(() => encodeRecord({ ...sample, [field]: value })).toThrow(expect.objectContaining({ field }));
  });
});

describe('the records of an entry, one after the other', () => {
  const records = new RecordArray();

  it('are those that are encoded one by one', () => {
    fc.assert(fc.property(fc.array(record, { minLength: 1 }), (given) => {
      records.clear();
      for (const one of given) records.add(one);
      expect(records.count).toBe(given.length);
      expect(records.finish()).toBe(`[${given.map(encodeRecord).join(',')}]`);
    }));
  });

  it('are as if one that cannot be stored had not been there', () => {
    records.clear();
    records.add(sample);
    for (const bad of [{ ...sample, latitude: 91 }, { ...sample, attributes: new Map([['a', Number.NaN]]) }]) {
      expect(() => { records.add(bad); }).toThrow();
    }
    records.add(sample);
    expect(records.count).toBe(2);
    expect(records.finish()).toBe(`[${encodeRecord(sample)},${encodeRecord(sample)}]`);
  });
});

describe('partitions', () => {
  it('are spread evenly and stay the same', () => {
    const counts = [0, 0, 0, 0];
    for (let index = 0; index < 4_000; index += 1) {
      const partition = partitionOf(String(356_307_042_440_000 + index), 4);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(partitionOf('356307042441013', 4)).toBe(partitionOf('356307042441013', 4));
  });

  it('have a Redis Cluster hash tag in their names', () => {
    expect(telemetryStream(3)).toBe('telemetry:{3}');
  });
});
