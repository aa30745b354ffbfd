/**
 * Frames of the conformance corpus with what users see of them: attribute values and plausible positions. The file
 * lies beside the repository; where it does not, this suite is skipped and says so.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TelemetryRecord } from '../../../src/shared/model.ts';
import { accepted, handle, push } from './frames.ts';

interface CorpusCase {
  readonly id: number;
  readonly kind: string;
  readonly data: string;
  readonly expect: {
    readonly key?: string; readonly value?: unknown; readonly frame?: string; readonly offset?: number;
    readonly trailing?: number; readonly sanity?: boolean;
  };
  readonly lengthOk?: boolean;
  readonly checksumOk?: boolean;
}

const PATH = resolve('../shared/corpus/teltonika.json');
const isThere = existsSync(PATH);
if (!isThere) console.log(`skipped: ${PATH} is not there`);
const cases = isThere ? JSON.parse(readFileSync(PATH, 'utf8')) as readonly CorpusCase[] : [];

const of = (...kinds: string[]): readonly (readonly [number, string, CorpusCase])[] =>
  cases.filter(({ kind }) => kinds.includes(kind)).map((entry) => [entry.id, entry.kind, entry] as const);

function expectPlausible({ latitude, longitude, altitude, speed, course, ts, attributes }: TelemetryRecord): void {
  if (latitude !== null) expect(Math.abs(latitude)).toBeLessThanOrEqual(90);
  if (longitude !== null) expect(Math.abs(longitude)).toBeLessThanOrEqual(180);
  if (altitude !== null) expect(altitude).toBeGreaterThan(-12_262);
  if (speed !== null) expect(speed).toBeLessThan(869 * 1.852);
  if (course !== null) expect(course).toBeLessThanOrEqual(360);
  expect(ts).toBeGreaterThan(Date.UTC(1999, 0));
  for (const name of ['ignition', 'motion', 'roaming']) expect(['boolean', 'undefined']).toContain(typeof attributes.get(name));
  for (const name of ['odometer', 'tripOdometer', 'rpm', 'fuel', 'hdop', 'pdop', 'power', 'battery', 'batteryLevel']) {
    expect(['number', 'undefined']).toContain(typeof attributes.get(name));
  }
}

describe.skipIf(!isThere)('the corpus', () => {
  it.each(of('attribute'))('%s %s', (_id, _kind, entry) => {
    const [record] = accepted(handle(Buffer.from(entry.data, 'hex'))).records;
    expect(record?.attributes.get(entry.expect.key!)).toBe(entry.expect.value);
  });

  it.each(of('positions', 'position').filter(([, , entry]) => entry.checksumOk === true && entry.lengthOk === true))(
    '%s %s', (_id, _kind, entry) => {
      const { records } = accepted(handle(Buffer.from(entry.data, 'hex')));
      expect(records.length).toBeGreaterThan(0);
      for (const record of records) if (entry.expect.sanity === true) expectPlausible(record);
    },
  );

  it.each(of('frame'))('%s %s', (_id, _kind, entry) => {
    const [first] = push([Buffer.from(entry.data, 'hex')]);
    expect(first?.bytes.toString('hex')).toBe(entry.expect.frame);
  });
});
