/**
 * Likely words: what leads past the checks of a parameter whose schema is just text. Times are around now, so that the
 * same seed asks the same about the same past.
 */
import fc from 'fast-check';
import { PASSWORD, TOKEN } from '../support.ts';
import type { Words } from './schema-values.ts';

/** All but the last have a history. */
export const DEVICES = ['fuzz-1', 'fuzz-2', 'a.b:c@d+e-f', '_'];
/** Has one too, and is granted to few. */
export const HIDDEN = 'hidden-1';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** @param cursors that lists have given out */
export function wordsOf(groups: readonly string[], cursors: readonly string[]): Words {
  const device = fc.constantFrom(...DEVICES, HIDDEN, 'nobody-knows-it');
  const group = fc.constantFrom(...groups);
  const names = fc.constantFrom('speed', 'altitude', 'latitude', 'course', 'satellites', 'ignition', 'power', 'odometer', 'large', 'small', 'text', 'attributes.speed', '🚚', 'none');
  const list = (of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.array(of, { minLength: 1, maxLength: 4 }).map((all) => all.join(','));
  const thisHour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  const moment = fc.oneof(
    fc.integer({ min: -72 * 60, max: 24 * 60 }).map((minutes) => thisHour + minutes * MINUTE_MS),
    fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
  );
  const time = fc.oneof(
    { weight: 4, arbitrary: moment.map(String) },
    { weight: 2, arbitrary: moment.map((ms) => new Date(ms).toISOString()) },
    { weight: 1, arbitrary: fc.constantFrom('0001-01-01', '9999-12-31', '2026-03-29T02:30:00+02:00', '2024-02-29', '-62135596800000', '253402300799999') });
  const degree = fc.constantFrom('-180', '-90', '0', '13', '13.5', '52', '52.9', '90', '179.999999', '180', '-0');
  const numbers = (count: number): fc.Arbitrary<string> =>
    fc.array(degree, { minLength: count, maxLength: count }).map((all) => all.join(','));
  const recent = fc.integer({ min: -60 * 24 * 60, max: 5 }).map((minutes) => Date.now() + minutes * MINUTE_MS);
  const small = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  return {
    deviceId: device, device, devices: list(device), group, groups: list(group), name: names,
    from: time, to: time, limit: fc.constantFrom('1', '2', '10', '50', '100'), q: fc.constantFrom('fuzz', 'F', '%', '_', '\\', "'"),
    step: fc.constantFrom('60', 'PT1M', 'PT5M', 'PT1H', 'P1D', 'P1W', 'P1M', 'PT7M', 'P7D', 'PT90M', 'P366M', '31622400'),
    agg: list(fc.constantFrom('avg', 'min', 'max', 'sum', 'count', 'first', 'last', 'p50', 'p95', 'p99')),
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Apia', 'Asia/Kathmandu', 'Africa/Monrovia', '+05:30', '-23:59', 'Etc/GMT+12', 'europe/berlin'),
    fields: list(fc.constantFrom('deviceId', 'ts', 'time', 'latitude', 'longitude', 'speed', 'attributes', 'attributes.ignition', 'attributes.🚚', 'attributes.exact', 'valid', 'eventId', 'attributes.a "quoted"')),
    simplify: fc.constantFrom('10m', '0.001m', '2', '5', '1000'),
    bbox: fc.constantFrom('-180,-90,180,90', '170,-90,-170,90', '13,52,13,52', '-0,0,1e-9,1', '12.5,51,14,53'), circle: fc.tuple(fc.constantFrom('13,52', '-180,90', '0,-90', '13.405,52.52'), fc.constantFrom('0', '1', '5000', '20100000')).map((all) => all.join(',')), polygon: fc.oneof(fc.constantFrom('0,0,90,0,90,89', '13,52,13,52,13,52'), numbers(8)),
    cursor: fc.constantFrom(...cursors),
    ts: fc.oneof(recent, recent.map((ms) => new Date(ms).toISOString())), eventId: fc.nat(3),
    altitude: small, course: small, speed: small, hdop: small,
    attributes: fc.dictionary(fc.constantFrom('power', '🚚', 'a "b"', '__proto__', 'constructor', 'x'.repeat(128)), fc.oneof(fc.boolean(), fc.integer(), small, fc.constantFrom('text', '', '\u2028', '<&>'), fc.constant({ __bigint: '-18446744073709551616' })), { maxKeys: 4 }),
    key: fc.constantFrom(TOKEN, 'x', `odo_aaaaaaaaaaaa_${'A'.repeat(43)}`), password: fc.constantFrom(PASSWORD, 'x', '\0', '🚚'),
  };
}
