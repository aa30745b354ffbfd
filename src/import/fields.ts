/**
 * From columns and properties by any of their usual names to the fields of a record. What has no field is a
 * measurement and becomes an attribute under its own name, so that nothing of a file is dropped. Pure.
 */
import type { Fields, ReadOptions } from './item.ts';
import { TimeReader } from './times.ts';

const KNOTS = 1.852;
const MILES = 1.609344;
const METRES_PER_SECOND = 3.6;

export const SPEED_UNITS: Readonly<Record<string, number>> = { 'km/h': 1, kmh: 1, mph: MILES, knots: KNOTS, 'm/s': METRES_PER_SECOND };

/** Usual names, in lower case and without anything but letters and digits. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  deviceId: ['deviceid', 'device', 'uniqueid', 'imei', 'unitid', 'trackerid', 'vehicleid'],
  ts: ['ts', 'timestamp', 'time', 'datetime', 'fixtime', 'gpstime', 'gpsdatetime', 'utc', 'utctime', 'recordedat', 'timestampms', 'epoch'],
  latitude: ['latitude', 'lat', 'gpslat', 'ycoord'],
  longitude: ['longitude', 'lon', 'lng', 'long', 'gpslon', 'gpslng', 'xcoord'],
  altitude: ['altitude', 'alt', 'ele', 'elevation', 'height', 'altitudem'],
  speed: ['speed', 'speedkmh', 'speedkph', 'velocity', 'kmh', 'kph', 'speedknots', 'speedkn', 'speedmph', 'mph', 'speedms', 'speedmps'],
  course: ['course', 'heading', 'bearing', 'direction', 'angle', 'azimuth'],
  satellites: ['satellites', 'sat', 'sats', 'nsat', 'numsats', 'satcount'],
  hdop: ['hdop'],
  valid: ['valid', 'gpsvalid', 'fixvalid'],
  priority: ['priority'],
  eventId: ['eventid'],
  attributes: ['attributes'],
};

/** Names of a speed that say its unit. */
const NAMED_SPEEDS: Readonly<Record<string, number>> = {
  speedkmh: 1, speedkph: 1, kmh: 1, kph: 1, speedknots: KNOTS, speedkn: KNOTS, speedmph: MILES, mph: MILES,
  speedms: METRES_PER_SECOND, speedmps: METRES_PER_SECOND,
};

const FIELD_OF = new Map(
  Object.entries(SYNONYMS).flatMap(([field, names]) => names.map((name) => [name, field] as const)),
);

export const FIELD_NAMES: readonly string[] = Object.keys(SYNONYMS);

/** Where the value of a column goes. */
export interface Target {
  /** A field of a record, `attribute`, `date` (with `ts`), or null: nowhere. */
  readonly field: string | null;
  /** Of an attribute. */
  readonly name: string;
  /** Of a speed: km/h of one unit. */
  readonly factor: number;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function mapped(target: string, name: string): Target {
  if (target === '-') return { field: null, name, factor: 1 };
  if (target.startsWith('attributes.')) return { field: 'attribute', name: target.slice('attributes.'.length), factor: 1 };
  return { field: target, name, factor: 1 };
}

/** Where each of these columns goes: a field takes the first of its names, any further one is an attribute. */
export function targetsOf(names: readonly string[], { mapping, speedFactor }: ReadOptions): readonly Target[] {
  const taken = new Set(names.map((name) => mapping.get(name)).filter((field) => field !== undefined));
  const hasTime = names.some((name) => plain(name) === 'time' && !mapping.has(name));
  return names.map((name) => {
    const asked = mapping.get(name);
    const own = plain(name);
    if (asked !== undefined) return { ...mapped(asked, name), factor: asked === 'speed' ? NAMED_SPEEDS[own] ?? speedFactor : 1 };
    if (own === 'date') return { field: hasTime ? 'date' : takenOr(taken, 'ts'), name, factor: 1 };
    const field = FIELD_OF.get(own);
    if (field === undefined || taken.has(field)) return { field: 'attribute', name: name.trim() || 'unnamed', factor: 1 };
    taken.add(field);
    return { field, name, factor: field === 'speed' ? NAMED_SPEEDS[own] ?? speedFactor : 1 };
  });
}

function takenOr(taken: Set<string>, field: string): string {
  if (taken.has(field)) return 'attribute';
  taken.add(field);
  return field;
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const ABSENT = new Set(['', '\\N', 'NULL', 'null', 'NaN', 'nan', 'N/A', 'n/a']);

/** Text as the value that it writes: what has a leading zero, as identifiers do, stays text. */
export function valueOf(text: string): unknown {
  if (!NUMBER.test(text)) return text === 'true' || text === 'false' ? text === 'true' : text;
  const value = Number(text);
  if (INTEGER.test(text) && !Number.isSafeInteger(value)) return { __bigint: text };
  return Number.isFinite(value) ? value : text;
}

/** A value of parsed JSON as an attribute: what is nested is kept as its JSON; undefined: there is none. */
export function attributeOf(value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'object') return value;
  const [entry, ...others] = Object.entries(value) as [string, unknown][];
  const [name, content] = entry ?? [];
  const isText = others.length === 0 && typeof content === 'string';
  const isSentinel = isText && (name === '__bigint' || name === '__buffer_b64');
  return isSentinel ? value : JSON.stringify(value);
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true, t: true, yes: true, y: true, 1: true, '\u0001': true, "b'1'": true, a: true,
  false: false, f: false, no: false, n: false, 0: false, '\u0000': false, "b'0'": false, v: false,
};

/** Makes records of the values of one file. */
export class FieldReader {
  readonly #options: ReadOptions;
  readonly #time: TimeReader;

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#time = new TimeReader(options.time);
  }

  /** @throws FieldError for a value that its field cannot have */
  record(targets: readonly Target[], values: readonly unknown[]): Fields {
    const record: Fields = {};
    const attributes: Fields = {};
    let date: unknown;
    for (const [index, value] of values.entries()) {
      const target = targets[index];
      if (target === undefined || target.field === null || isAbsent(value)) continue;
      if (target.field === 'date') date = value;
      else this.#put(target, value, record, attributes);
    }
    if (date !== undefined) record['ts'] = `${textOf(date)} ${textOf(record['ts'] ?? '00:00')}`;
    return this.finish(record, attributes);
  }

  /** Reads the time, names the device, and attaches the attributes. @throws FieldError */
  finish(record: Fields, attributes: Fields): Fields {
    const { deviceId } = this.#options;
    if (deviceId !== null) record['deviceId'] = deviceId;
    const ts = this.#time.read(record['ts']);
    if (Number.isNaN(ts)) throw new FieldError('ts', `expected a time, got ${JSON.stringify(record['ts'] ?? null)}`);
    record['ts'] = ts;
    if (Object.keys(attributes).length > 0) record['attributes'] = attributes;
    return record;
  }

  time(value: unknown): number {
    return this.#time.read(value);
  }

  #put({ field, name, factor }: Target, value: unknown, record: Fields, attributes: Fields): void {
    switch (field) {
      case 'attribute':
        put(attributes, name, typeof value === 'string' ? valueOf(value) : attributeOf(value));
        return;
      case 'attributes':
        for (const [one, content] of Object.entries(parsedAttributes(value))) {
          put(attributes, one, attributeOf(content));
        }
        return;
      case 'deviceId':
        record['deviceId'] = textOf(value);
        return;
      case 'ts':
        record['ts'] = value;
        return;
      case 'valid':
        record['valid'] = booleanOf(value);
        return;
      case 'speed':
        record['speed'] = rounded(numberOf('speed', value) * factor);
        return;
      default:
        record[field ?? ''] = numberOf(field ?? '', value);
    }
  }
}

/** A value that its field cannot have. */
export class FieldError extends Error {
  override readonly name = 'FieldError';
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

function put(attributes: Fields, name: string, value: unknown): void {
  if (value === undefined) return;
  Object.defineProperty(attributes, name, { value, enumerable: true, configurable: true, writable: true });
}

function isAbsent(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'string' && ABSENT.has(value.trim()));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : String(value);
}

function numberOf(field: string, value: unknown): number {
  const number = typeof value === 'number' ? value : Number(textOf(value).replace(/^(-?\d+),(\d+)$/, '$1.$2'));
  if (!Number.isFinite(number)) throw new FieldError(field, `expected a number, got ${JSON.stringify(value)}`);
  return number;
}

/** Three decimals are more than any tracker measures; a factor makes seventeen of them. */
export function rounded(speed: number): number {
  return Math.round(speed * 1_000) / 1_000;
}

function booleanOf(value: unknown): boolean {
  const known = typeof value === 'boolean' ? value : BOOLEANS[textOf(value).toLowerCase()];
  if (known === undefined) throw new FieldError('valid', `expected true or false, got ${JSON.stringify(value)}`);
  return known;
}

function parsedAttributes(value: unknown): object {
  try {
    const parsed: unknown = typeof value === 'string' ? JSON.parse(value) : value;
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new FieldError('attributes', 'expected a JSON object');
}
