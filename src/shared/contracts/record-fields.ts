/**
 * The fields of a record on the stream but its attributes, and what each may be: what the record model and the columns
 * of `positions` can hold. Errors: `CodecError` that names the field.
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

type ScalarName = Exclude<keyof TelemetryRecord, 'attributes'>;

/** What each takes, in words. */
const EXPECTED: Readonly<Record<ScalarName, string>> = {
  ts: 'epoch milliseconds',
  latitude: 'degrees from -90 to 90 or null',
  longitude: 'degrees from -180 to 180 or null',
  altitude: 'a number or null',
  course: 'a number or null',
  speed: 'a number or null',
  satellites: `an integer from 0 to ${MAX_INT16} or null`,
  hdop: 'a number or null',
  valid: 'true or false',
  priority: `an integer from -${MAX_INT16} to ${MAX_INT16}`,
  eventId: 'a 32-bit integer',
};

function isWithin(value: unknown, most: number): value is number {
  return typeof value === 'number' && value >= -most && value <= most;
}

function isInteger(value: unknown, most: number): value is number {
  return isWithin(value, most) && Math.floor(value) === value;
}

/** What a column of type real can hold. */
function isReal(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(Math.fround(value));
}

type Unchecked = Readonly<Record<ScalarName, unknown>>;

/** The first field that cannot be stored. Every record passes here: properties by name, no table of functions. */
function faultyField(of: Unchecked): ScalarName | null {
  if (!isInteger(of.ts, MAX_DATE_MS)) return 'ts';
  if (of.latitude !== null && !isWithin(of.latitude, MAX_LATITUDE)) return 'latitude';
  if (of.longitude !== null && !isWithin(of.longitude, MAX_LONGITUDE)) return 'longitude';
  if (of.altitude !== null && !isReal(of.altitude)) return 'altitude';
  if (of.course !== null && !isReal(of.course)) return 'course';
  if (of.speed !== null && !isReal(of.speed)) return 'speed';
  if (of.satellites !== null && !(isInteger(of.satellites, MAX_INT16) && of.satellites >= 0)) return 'satellites';
  if (of.hdop !== null && !isReal(of.hdop)) return 'hdop';
  if (typeof of.valid !== 'boolean') return 'valid';
  if (!isInteger(of.priority, MAX_INT16)) return 'priority';
  return isInteger(of.eventId, MAX_INT32) ? null : 'eventId';
}

/** NaN and infinities would be null as JSON. */
function shown(value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/**
 * @param path of the record, which the name of a field is put behind
 * @throws CodecError that names the field of a record that cannot be stored: its types may be wrong too
 */
export function checkFields(record: Omit<TelemetryRecord, 'attributes'>, path = ''): void {
  const name = faultyField(record);
  if (name !== null) throw new CodecError(`${path}${name}`, EXPECTED[name], shown(record[name]));
}
