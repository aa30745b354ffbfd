/**
 * Runs the conformance corpus where it is: real frames and what they must decode to. `kind` is the assertion.
 * Speeds there are in knots, and `field` names a field of the record.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crcItu } from '../../../src/protocols/gt06/crc-itu.ts';
import type { TelemetryRecord } from '../../../src/shared/model.ts';
import { accepted, bytes, eventsOf, handled } from './support.ts';

interface Case {
  readonly id: number;
  readonly kind: string;
  readonly data: string;
  readonly options?: { readonly modelOverride?: string };
  readonly checksumOk?: boolean;
  readonly expect: {
    readonly frame?: string | null;
    readonly time?: string;
    readonly valid?: boolean;
    readonly lat?: number;
    readonly lon?: number;
    readonly tolerance?: number;
    readonly key?: string;
    readonly value?: unknown;
    readonly field?: boolean;
  };
}

/** Cases that assert what this server rightly does not do. */
const EXCEPTIONS = new Map<number, string>([
  [115, 'its length field counts neither serial number nor CRC, and it has none'],
  [181, 'only the configured model SEEWORLD tells the byte from an alarm code'],
]);

const KMH_PER_KNOT = 1.852;
const path = resolve('../shared/corpus/gt06.json');
const isThere = existsSync(path);
if (!isThere) console.warn(`skipped: the conformance corpus is not at ${path}`);
const cases = isThere ? JSON.parse(readFileSync(path, 'utf8')) as Case[] : [];
const titled = (of: readonly Case[]): (readonly [number, string, Case])[] =>
  of.map((one) => [one.id, `${one.kind} ${one.expect.key ?? ''}`, one] as const);

/** Wi-Fi packets have no CRC; of all others a strict server refuses those that were edited by hand. */
const isWhole = (one: Case): boolean => eventsOf(bytes(one.data)).every((event) => event.kind === 'frame')
  && (one.checksumOk !== false || /^7878..(17|69)/.test(one.data));

describe.skipIf(!isThere)('the conformance corpus', () => {
  const decoded = cases.filter((one) => one.kind !== 'frame' && one.kind !== 'null' && !EXCEPTIONS.has(one.id));

  it.each(titled(cases.filter((one) => one.kind === 'frame')))('case %i: %s', (_, __, one) => {
    const [event] = eventsOf(bytes(one.data));
    expect(event?.kind === 'frame' ? event.bytes.toString('hex') : null).toBe(one.expect.frame);
  });

  it.each(titled(cases.filter((one) => one.kind === 'null')))('case %i: %s has no place', (_, __, one) => {
    for (const event of eventsOf(bytes(one.data))) {
      const result = handled(event.bytes);
      const records = result.kind === 'accepted' ? result.records : [];
      for (const record of records) expect(record.latitude).toBeNull();
    }
  });

  it.each(titled(decoded.filter(isWhole)))('case %i: %s', (_, __, one) => {
    const records = accepted(handled(bytes(one.data))).records;
    expect(records).not.toHaveLength(0);
    for (const record of records) check(one, record);
  });

  it.each(titled(decoded.filter((one) => !isWhole(one))))('case %i: %s, once its CRC is right', (_, __, one) => {
    const frame = bytes(one.data);
    expect(handled(frame)).toMatchObject({ kind: 'refused', code: 'checksum_mismatch' });
    frame.writeUInt16BE(crcItu(frame, 2, frame.length - 4), frame.length - 4);
    for (const record of accepted(handled(frame)).records) check(one, record);
    expect(accepted(handled(frame)).records).not.toHaveLength(0);
  });
});

function check(one: Case, record: TelemetryRecord): void {
  if (one.kind === 'position' || one.kind === 'positions') checkPosition(one, record);
  else if (one.kind === 'attribute') {
    const { key = '', value } = one.expect;
    const actual = one.expect.field === true ? fieldOf(record, key) : record.attributes.get(key);
    if (typeof value === 'number') expect(actual).toBeCloseTo(value, 9);
    else expect(actual).toEqual(value);
  } else expect(record.attributes.size).toBeGreaterThan(0);
}

function checkPosition(one: Case, record: TelemetryRecord): void {
  const { time, valid, lat, lon, tolerance = 0.00001 } = one.expect;
  expect(record.latitude).not.toBeNull();
  expect(Math.abs(record.latitude!)).toBeLessThanOrEqual(90);
  expect(Math.abs(record.longitude!)).toBeLessThanOrEqual(180);
  expect((record.speed ?? 0) / KMH_PER_KNOT).toBeLessThanOrEqual(869);
  expect(record.course ?? 0).toBeLessThanOrEqual(360);
  expect(record.ts).toBeGreaterThan(Date.UTC(2000, 0, 1));
  if (time !== undefined) expect(record.ts).toBe(Date.parse(`${time.replace(' ', 'T')}Z`));
  if (valid !== undefined) expect(record.valid).toBe(valid);
  if (lat !== undefined) expect(Math.abs(record.latitude! - lat)).toBeLessThanOrEqual(tolerance);
  if (lon !== undefined) expect(Math.abs(record.longitude! - lon)).toBeLessThanOrEqual(tolerance);
}

function fieldOf(record: TelemetryRecord, key: string): number | null {
  switch (key) {
    case 'speed': return (record.speed ?? 0) / KMH_PER_KNOT;
    case 'course': return record.course;
    case 'altitude': return record.altitude;
    default: throw new Error(`the corpus asks for the field ${key}`);
  }
}
