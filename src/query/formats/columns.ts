/**
 * The fields of a position as columns of an answer: in which order, out of which SQL, and what their text is. Values
 * stay the text that PostgreSQL sends wherever JSON has the same word for them, so that no number is rounded.
 */
import { epochOf, msOfEpoch } from '../times.ts';

/**
 * - `integer`, `boolean`: JSON as it is; `number`: the same, and what JSON has no word for (NaN, Infinity) is null
 * - `time`: a timestamptz, read as `epochOf` gives it, shown as epoch milliseconds; `iso`: the same, shown as ISO 8601
 * - `json`: an object that is JSON already; `attribute`: one value of it
 */
export type ColumnKind = 'text' | 'number' | 'integer' | 'boolean' | 'time' | 'iso' | 'json' | 'attribute';

export interface Column {
  /** As it is called in the answer; of an attribute, `attributes.` and its name. */
  readonly name: string;
  readonly kind: ColumnKind;
  readonly sql: string;
}

/** The expressions that differ between the history and the newest state. */
interface Sources {
  readonly deviceId: string;
  /** Table or alias of the record. */
  readonly record: string;
  /** Table or alias of the place. */
  readonly place: string;
}

export const FIELD_NAMES = [
  'deviceId', 'ts', 'time', 'receivedAt', 'latitude', 'longitude', 'altitude', 'course', 'speed', 'satellites', 'hdop',
  'valid', 'priority', 'eventId', 'attributes',
] as const;

export type FieldName = (typeof FIELD_NAMES)[number];

/** As the live protocol has them: the time once, as a number. */
export const POSITION_FIELDS: readonly FieldName[] = FIELD_NAMES.filter((name) => name !== 'time');

export function fieldColumns({ deviceId, record, place }: Sources): Readonly<Record<FieldName, Column>> {
  const number = (name: string, sql: string): Column => ({ name, kind: 'number', sql });
  const integer = (name: string, sql: string): Column => ({ name, kind: 'integer', sql });
  return {
    deviceId: { name: 'deviceId', kind: 'text', sql: deviceId },
    ts: { name: 'ts', kind: 'time', sql: `${record}.ts` },
    time: { name: 'time', kind: 'iso', sql: `${record}.ts` },
    receivedAt: { name: 'receivedAt', kind: 'time', sql: `${record}.received_at` },
    latitude: number('latitude', `${place}.latitude`),
    longitude: number('longitude', `${place}.longitude`),
    altitude: number('altitude', `${place}.altitude`),
    course: number('course', `${place}.course`),
    speed: number('speed', `${place}.speed`),
    satellites: integer('satellites', `${place}.satellites`),
    hdop: number('hdop', `${place}.hdop`),
    valid: { name: 'valid', kind: 'boolean', sql: `${record}.valid::text` },
    priority: integer('priority', `${record}.priority`),
    eventId: integer('eventId', `${record}.event_id`),
    attributes: { name: 'attributes', kind: 'json', sql: `${record}.attributes::text` },
  };
}

export const ATTRIBUTE_PREFIX = 'attributes.';

/** `NaN`, `Infinity`: of what PostgreSQL calls a number, only these end in a letter. */
function isNumber(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 48 && last <= 57;
}

/** A value as JSON. */
export function jsonOf(kind: ColumnKind, text: string | null): string {
  if (text === null) return 'null';
  switch (kind) {
    case 'text':
      return JSON.stringify(text);
    case 'time':
      return msOfEpoch(text);
    case 'iso':
      return `"${isoOf(text)}"`;
    case 'number':
      return isNumber(text) ? text : 'null';
    case 'integer':
    case 'boolean':
    case 'json':
    case 'attribute':
      return text;
  }
}

/** ISO 8601 with milliseconds, UTC, of what `epochOf` gives. */
export function isoOf(epoch: string): string {
  return new Date(Number(msOfEpoch(epoch))).toISOString();
}

/** A column of an answer with the place of its value in a row. */
export interface PlacedColumn extends Column {
  readonly at: number;
}

export interface Selection {
  readonly columns: readonly PlacedColumn[];
  /** The select list, in which each expression stands once. */
  readonly sql: string;
  /** How many there are. */
  readonly width: number;
}

/** What is selected for a column. */
function expressionOf({ kind, sql }: Column): string {
  return kind === 'time' || kind === 'iso' ? epochOf(sql) : sql;
}

export function select(columns: readonly Column[]): Selection {
  const expressions = [...new Set(columns.map(expressionOf))];
  const placed = columns.map((column) => ({ ...column, at: expressions.indexOf(expressionOf(column)) }));
  return { columns: placed, sql: expressions.join(', '), width: expressions.length };
}
