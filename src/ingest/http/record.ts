/**
 * One record as it comes over HTTP, checked and written as the stream wants it. These are the checks of the hot path,
 * by hand: `record-schema.ts` says the same to whoever reads the OpenAPI document, and a test proves that both accept
 * the same records. Pure.
 *
 * Errors: a record that cannot be kept is a value, which says which field, why, and what is expected there.
 */
import { encodeParsedAttributes } from '../../shared/attributes.ts';
import { encodeRecordWith } from '../../shared/contracts/stored-record.ts';
import { CodecError } from '../../shared/errors.ts';
import type { TelemetryRecord } from '../../shared/model.ts';
import type { RecordReason } from '../../shared/record-reasons.ts';
import type { RecordTimeLimits } from '../record-time.ts';
import { clockFault } from '../record-time.ts';
import { meantBy } from './field-names.ts';

/** What a record is held to. */
export interface RecordLimits extends RecordTimeLimits {
  /** Most bytes of a record on the stream. */
  readonly maxRecordBytes: number;
}

/** Why a record is not kept. */
export interface RecordFault {
  readonly reason: RecordReason;
  /** Path within the record, such as `attributes.fuel`; empty: the record as a whole. */
  readonly field: string;
  readonly message: string;
}

/** A record that can be kept. */
export interface CheckedRecord {
  readonly deviceId: string;
  /** As `encodeRecord` writes it. */
  readonly json: string;
}

export type Checked = CheckedRecord | RecordFault;

/** Fit for a path of a URL, a topic and a log line; IMEIs, UUIDs, phone numbers and addresses of radios are. */
export const DEVICE_ID = /^[A-Za-z0-9_+][A-Za-z0-9._:@+-]{0,127}$/;

/** RFC 3339 with its zone: a time without one would mean another in every place. */
export const INSTANT =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

export const MAX_ATTRIBUTES = 512;
export const MAX_ATTRIBUTE_NAME_LENGTH = 128;

/** Every field that a record may have. */
export const RECORD_FIELDS: ReadonlySet<string> = new Set([
  'deviceId', 'ts', 'latitude', 'longitude', 'altitude', 'course', 'speed', 'satellites', 'hdop', 'valid', 'priority',
  'eventId', 'attributes',
]);

/** Epoch milliseconds below this are of 1973 at the latest, before there was GPS: they were seconds. */
export const LEAST_PLAUSIBLE_MS = 100_000_000_000;

const DAY_MS = 86_400_000;
const DEVICE_ID_EXPECTED = 'expected 1 to 128 letters, digits or . _ : @ + -, not beginning with . : @ or -';
const TIME_EXPECTED = 'expected epoch milliseconds, or a time like 2026-11-25T12:00:00Z with its zone';

type Parsed = Readonly<Partial<Record<string, unknown>>>;

function bad(field: string, message: string): RecordFault {
  return { reason: 'bad_field', field, message };
}

/** Epoch milliseconds; NaN: neither a whole number nor an instant of a day that there is. */
export function instantOf(value: unknown): number {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : Number.NaN;
  if (typeof value !== 'string' || !INSTANT.test(value)) return Number.NaN;
  // A 30th of February is the 2nd of March to Date.parse.
  const isThere = new Date(`${value.slice(0, 10)}T00:00:00Z`).getUTCDate() === Number(value.slice(8, 10));
  return isThere ? Date.parse(value) : Number.NaN;
}

/** A field that is there and wrong, or not there. */
function wrong(field: string, value: unknown, expected: string): RecordFault {
  return bad(field, value === undefined ? `is missing: ${expected}` : expected);
}

/** Seconds, or days where those say more. */
function awayBy(ms: number): string {
  return ms < 2 * DAY_MS ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / DAY_MS)} days`;
}

function timeFault(ts: number, limits: RecordLimits): RecordFault | null {
  const reason = clockFault(ts, limits);
  if (reason === null) return null;
  const side = reason === 'clock_ahead' ? 'ahead of' : 'behind';
  return { reason, field: 'ts', message: `${awayBy(Math.abs(ts - limits.now))} ${side} the clock of the server` };
}

/** A field that is none of ours, or a list: a word that is spelt wrong must not lose a value in silence. */
function unknownField(parsed: Parsed): RecordFault | null {
  for (const name in parsed) {
    if (RECORD_FIELDS.has(name)) {
      const value = parsed[name];
      if (typeof value !== 'object' || value === null || name === 'attributes') continue;
      return bad(name, 'expected a single value');
    }
    if (name === 'receivedAt') return bad(name, 'is set by the server: leave it out');
    const meant = meantBy(name);
    const hint = meant === undefined ? 'measurements belong into attributes' : `did you mean ${meant}?`;
    return bad(name.slice(0, MAX_ATTRIBUTE_NAME_LENGTH), `no field of a record: ${hint}`);
  }
  return null;
}

function positionFault({ latitude = null, longitude = null }: Parsed): RecordFault | null {
  if ((latitude === null) === (longitude === null)) return null;
  return bad(latitude === null ? 'latitude' : 'longitude', 'expected latitude and longitude, or neither');
}

function attributeNamesFault(names: readonly string[]): RecordFault | null {
  if (names.length > MAX_ATTRIBUTES) {
    return { reason: 'record_too_large', field: 'attributes', message: `at most ${MAX_ATTRIBUTES} attributes` };
  }
  const wrong = names.find((name) => name === '' || name.length > MAX_ATTRIBUTE_NAME_LENGTH);
  if (wrong === undefined) return null;
  const shown = wrong.slice(0, MAX_ATTRIBUTE_NAME_LENGTH);
  return bad(`attributes.${shown}`, `expected a name of 1 to ${MAX_ATTRIBUTE_NAME_LENGTH} characters`);
}

/** JSON, or why it cannot be. @throws CodecError for a value that cannot be stored */
function attributesOf({ attributes = null }: Parsed): string | RecordFault {
  if (attributes === null) return '{}';
  if (typeof attributes !== 'object' || Array.isArray(attributes)) return bad('attributes', 'expected an object of names and values');
  return attributeNamesFault(Object.keys(attributes)) ?? encodeParsedAttributes(attributes);
}

function scalarsOf(parsed: Parsed, ts: number): Omit<TelemetryRecord, 'attributes'> {
  const { latitude = null, longitude = null, altitude = null, course = null, speed = null, satellites = null } = parsed;
  const { hdop = null, valid = latitude !== null, priority = 0, eventId = 0 } = parsed;
  // What these are is checked by who encodes them.
  return {
    ts, latitude, longitude, altitude, course, speed, satellites, hdop, valid, priority, eventId,
  } as Omit<TelemetryRecord, 'attributes'>;
}

function encode(parsed: Parsed, deviceId: string, limits: RecordLimits): Checked {
  const ts = instantOf(parsed['ts']);
  if (Number.isNaN(ts)) return wrong('ts', parsed['ts'], TIME_EXPECTED);
  if (typeof parsed['ts'] === 'number' && Math.abs(ts) < LEAST_PLAUSIBLE_MS) return bad('ts', 'expected epoch milliseconds, got seconds');
  const fault = timeFault(ts, limits) ?? positionFault(parsed);
  if (fault !== null) return fault;
  const attributes = attributesOf(parsed);
  if (typeof attributes !== 'string') return attributes;
  const json = encodeRecordWith(scalarsOf(parsed, ts), attributes);
  // A UTF-16 unit takes three bytes of UTF-8 at most.
  if (json.length * 3 > limits.maxRecordBytes && Buffer.byteLength(json) > limits.maxRecordBytes) {
    return { reason: 'record_too_large', field: '', message: `longer than ${limits.maxRecordBytes} bytes` };
  }
  return { deviceId, json };
}

/** What `JSON.parse` gave for one record, as the stream has it; or why not. */
export function checkRecord(parsed: unknown, limits: RecordLimits): Checked {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return bad('', 'expected a record: an object');
  const fields = parsed as Parsed;
  const unknown = unknownField(fields);
  if (unknown !== null) return unknown;
  const { deviceId } = fields;
  if (typeof deviceId !== 'string' || !DEVICE_ID.test(deviceId)) {
    return wrong('deviceId', deviceId, DEVICE_ID_EXPECTED);
  }
  try {
    return encode(fields, deviceId, limits);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return bad(error.field, error.message.slice(error.field.length + 2));
  }
}

export function isFault(checked: Checked): checked is RecordFault {
  return 'reason' in checked;
}
