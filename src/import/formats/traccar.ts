/**
 * Positions of Traccar: JSON of its API (`/api/positions`), CSV of its API (`/api/positions/csv`), and its table
 * `tc_positions` as CSV. Speed is in knots there, and `deviceId` is a number of Traccar's own: which identifier it is
 * stands in its devices (`--devices`).
 *
 * A position that Traccar made up of the last known place, since the device had no fix, bears the time of that old fix
 * in `fixTime` and its own in `deviceTime`. It is a record without a fix at its own time; as it stands it would be the
 * old record again.
 */
import { FieldError, FieldReader, attributeOf, rounded, valueOf } from '../fields.ts';
import type { Fields, ReadOptions } from '../item.ts';

const KNOTS = 1.852;

/** Of Traccar's own that say nothing about the sample: its numbers, and what it derived from the list of geofences. */
const LEFT_OUT = new Set(['id', 'servertime', 'geofenceids', 'type', 'outdated', 'protocol']);

const SCALARS: Readonly<Record<string, string>> = {
  latitude: 'latitude', longitude: 'longitude', altitude: 'altitude', course: 'course',
};

export function isTraccarHeader(header: readonly string[]): boolean {
  const names = new Set(header.map((name) => name.toLowerCase()));
  return ['deviceid', 'servertime', 'devicetime', 'fixtime'].every((name) => names.has(name));
}

export function isTraccarPosition(parsed: Fields): boolean {
  return 'fixTime' in parsed && 'deviceTime' in parsed && typeof parsed['deviceId'] === 'number';
}

function isTrue(value: unknown): boolean {
  if (typeof value !== 'string') return value === true || value === 1;
  return ['true', 't', '1', '\u0001', "b'1'"].includes(value.toLowerCase());
}

function isPresent(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  return typeof value !== 'string' || !['', '\\N', 'NULL', 'null'].includes(value);
}

export class TraccarPositions {
  readonly #options: ReadOptions;
  readonly #fields: FieldReader;
  /** Time of the last fix of each device, to know one that comes again. */
  readonly #lastFix = new Map<string, number>();

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#fields = new FieldReader(options);
  }

  /** By names in lower case, but for what is in `attributes`. @throws FieldError */
  record(position: ReadonlyMap<string, unknown>): Fields {
    const deviceId = this.#deviceOf(position.get('deviceid'));
    const fixTime = this.#fields.time(position.get('fixtime'));
    const deviceTime = this.#fields.time(position.get('devicetime'));
    const isOld = position.get('outdated') === true || (deviceTime > fixTime && this.#lastFix.get(deviceId) === fixTime);
    this.#lastFix.set(deviceId, fixTime);
    const record: Fields = { deviceId, ts: isOld && !Number.isNaN(deviceTime) ? deviceTime : fixTime };
    if (isOld) record['valid'] = false;
    else this.#place(position, record);
    return this.#fields.finish(record, this.#attributes(position));
  }

  #deviceOf(number: unknown): string {
    const known = this.#options.deviceId ?? this.#options.devices.get(String(number));
    if (known !== undefined) return known;
    throw new FieldError('deviceId', `${String(number)} is Traccar's number: --devices FILE says which device it is, or --device`);
  }

  #place(position: ReadonlyMap<string, unknown>, record: Fields): void {
    for (const [name, field] of Object.entries(SCALARS)) {
      const value = position.get(name);
      if (isPresent(value)) record[field] = Number(value);
    }
    const speed = position.get('speed');
    if (isPresent(speed)) record['speed'] = rounded(Number(speed) * KNOTS);
    record['valid'] = isTrue(position.get('valid'));
  }

  #attributes(position: ReadonlyMap<string, unknown>): Fields {
    const attributes: Fields = {};
    for (const [name, value] of position) {
      if (name in SCALARS || LEFT_OUT.has(name) || ['deviceid', 'devicetime', 'fixtime', 'valid', 'speed'].includes(name)) continue;
      if (!isPresent(value) || (name === 'accuracy' && Number(value) === 0)) continue;
      if (name === 'attributes') Object.assign(attributes, flat(value));
      else attributes[name] = typeof value === 'string' ? valueOf(value) : attributeOf(value);
    }
    return attributes;
  }
}

function flat(value: unknown): Fields {
  const parsed: unknown = typeof value === 'string' ? parseObject(value) : value;
  const pairs = Object.entries(parsed as object).map(([name, content]) => [name, attributeOf(content)] as const);
  return Object.fromEntries(pairs.filter(([, content]) => content !== undefined));
}

function parseObject(text: string): object {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new FieldError('attributes', 'expected a JSON object');
}

/** Rows of either CSV. */
export class TraccarRows {
  readonly #header: readonly string[];
  readonly #positions: TraccarPositions;

  constructor(header: readonly string[], options: ReadOptions) {
    // Columns of the API's export from `accuracy` on are attributes, whose names are as they are.
    const own = header.findIndex((name) => name.toLowerCase() === 'accuracy');
    this.#header = header.map((name, index) => {
      return own === -1 || index <= own || isOwnColumn(name) ? name.toLowerCase() : name;
    });
    this.#positions = new TraccarPositions(options);
  }

  readonly read = (values: readonly string[]): Fields => {
    const row = this.#unquoted(values);
    return this.#positions.record(new Map(this.#header.map((name, index) => [name, row[index]])));
  };

  /** The API writes addresses with their commas and without quotes: what a row has too much belongs to the address. */
  #unquoted(values: readonly string[]): readonly string[] {
    const extra = values.length - this.#header.length;
    const at = this.#header.indexOf('address');
    if (extra <= 0 || at === -1) return values;
    return [...values.slice(0, at), values.slice(at, at + extra + 1).join(', '), ...values.slice(at + extra + 1)];
  }
}

function isOwnColumn(name: string): boolean {
  return ['network', 'geofenceids', 'attributes'].includes(name.toLowerCase());
}
