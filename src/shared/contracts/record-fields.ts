/**
 * The fields of a record on the stream but its attributes, in their order, and what each may be: what the record model
 * and the columns of `positions` can hold. Errors: `CodecError` that names the field.
 */
import type { TelemetryRecord } from '../model.ts';
import { CodecError } from '../errors.ts';

/** A record as the stream holds it: all fields decoded but the attributes, which stay JSON in UTF-8. */
export interface StoredRecord extends Omit<TelemetryRecord, 'attributes'> {
  readonly attributesJson: Buffer;
}

export const MAX_LATITUDE = 90;
export const MAX_LONGITUDE = 180;
export const MAX_INT16 = 32_767;
export const MAX_INT32 = 2_147_483_647;

const MAX_DATE_MS = 8.64e15;

type Check = (value: unknown) => boolean;

const between = (min: number, max: number): Check => (value) =>
  typeof value === 'number' && value >= min && value <= max;
const integerBetween = (min: number, max: number): Check => {
  const isBetween = between(min, max);
  return (value) => Number.isInteger(value) && isBetween(value);
};
const orNull = (check: Check): Check => (value) => value === null || check(value);
/** What a column of type real can hold. */
const finite: Check = (value) => typeof value === 'number' && Number.isFinite(Math.fround(value));

type ScalarName = Exclude<keyof TelemetryRecord, 'attributes'>;

/** With what the column takes, in words. */
const FIELDS: readonly (readonly [name: ScalarName, check: Check, expected: string])[] = [
  ['ts', integerBetween(-MAX_DATE_MS, MAX_DATE_MS), 'epoch milliseconds'],
  ['latitude', orNull(between(-MAX_LATITUDE, MAX_LATITUDE)), 'degrees from -90 to 90 or null'],
  ['longitude', orNull(between(-MAX_LONGITUDE, MAX_LONGITUDE)), 'degrees from -180 to 180 or null'],
  ['altitude', orNull(finite), 'a number or null'],
  ['course', orNull(finite), 'a number or null'],
  ['speed', orNull(finite), 'a number or null'],
  ['satellites', orNull(integerBetween(0, MAX_INT16)), `an integer from 0 to ${MAX_INT16} or null`],
  ['hdop', orNull(finite), 'a number or null'],
  ['valid', (value) => typeof value === 'boolean', 'true or false'],
  ['priority', integerBetween(-MAX_INT16, MAX_INT16), `an integer from -${MAX_INT16} to ${MAX_INT16}`],
  ['eventId', integerBetween(-MAX_INT32, MAX_INT32), 'a 32-bit integer'],
];

/** NaN and infinities would be null as JSON. */
function shown(value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/** @throws CodecError that names the field of a record that cannot be stored. */
export function checkFields(record: Omit<TelemetryRecord, 'attributes'>): void {
  for (const [name, check, expected] of FIELDS) {
    if (!check(record[name])) throw new CodecError(name, expected, shown(record[name]));
  }
}

/** The same of a record as an array, at this place. */
export function checkHeader(header: readonly unknown[], path: string): void {
  for (const [index, [name, check, expected]] of FIELDS.entries()) {
    if (!check(header[index])) throw new CodecError(`${path}.${name}`, expected, header[index]);
  }
}
