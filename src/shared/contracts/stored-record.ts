/**
 * The form of one record on the stream: a JSON array of fixed order,
 *
 *   [ts,latitude,longitude,altitude,course,speed,satellites,hdop,valid,priority,eventId,attributesBytes,{attributes}]
 *
 * Any JSON parser reads it. `attributesBytes`, the length of the attributes' JSON in UTF-8 bytes, lets a reader that
 * only hands the attributes on (as the database writer does) cut them out untouched: there is no white space anywhere.
 *
 * Errors: `CodecError` that names the field; a fault within one record leaves its neighbours readable.
 */
import type { TelemetryRecord } from '../model.ts';
import { parseAttributes, writeAttributes } from '../attributes.ts';
import { CodecError } from '../errors.ts';
import { JsonWriter } from '../json-writer.ts';
import { PlainReader } from './plain-record.ts';
import type { StoredRecord } from './record-fields.ts';
import { checkFields } from './record-fields.ts';

/** One element of the array of records: a record, or why it is none, with its own text. */
export type RecordResult =
  | { readonly ok: true; readonly record: StoredRecord }
  | { readonly ok: false; readonly error: CodecError; readonly text: Buffer };

/** One for records and one for the attributes, whose length comes before them. */
const recordJson = new JsonWriter();
const attributesJson = new JsonWriter();

/**
 * The JSON of one record.
 * @throws CodecError that names the field, for a value that the record model or the columns of `positions` cannot hold.
 */
export function encodeRecord(record: TelemetryRecord): string {
  recordJson.clear();
  writeRecord(recordJson, record);
  return recordJson.toString();
}

/** The records of one entry after the other, as one JSON array. */
export class RecordArray {
  readonly #json = new JsonWriter();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Forgets what was added. */
  clear(): void {
    this.#json.clear();
    this.#json.character(OPEN_BRACKET);
    this.#count = 0;
  }

  /** @throws CodecError as `encodeRecord`, with nothing added. */
  add(record: TelemetryRecord): void {
    writeRecord(this.#json, record);
    this.#json.character(COMMA);
    this.#count += 1;
  }

  /** Ends the array, which has a record at least; `clear` begins the next. */
  finish(): string {
    this.#json.endWith(CLOSE_BRACKET);
    return this.#json.toString();
  }
}

/** Appends the JSON of one record. @throws CodecError as `encodeRecord`, with nothing appended. */
function writeRecord(json: JsonWriter, record: TelemetryRecord): void {
  checkFields(record);
  attributesJson.clear();
  writeAttributes(attributesJson, record.attributes);
  writeHeader(json, record, attributesJson.length);
  json.append(attributesJson);
  json.character(CLOSE_BRACKET);
}

/**
 * The JSON of one record whose attributes are JSON already, made by `src/shared/attributes.ts`.
 * @throws CodecError as `encodeRecord`.
 */
export function encodeRecordWith(record: Omit<TelemetryRecord, 'attributes'>, attributes: string): string {
  checkFields(record);
  return `${headerOf(record, Buffer.byteLength(attributes))}${attributes}]`;
}

/** The JSON that a stored record was read from. */
export function encodeStored(record: StoredRecord): string {
  return `${headerOf(record, record.attributesJson.length)}${record.attributesJson.toString()}]`;
}

function headerOf(record: Omit<TelemetryRecord, 'attributes'>, attributesBytes: number): string {
  recordJson.clear();
  writeHeader(recordJson, record, attributesBytes);
  return recordJson.toString();
}

/** `[`, the fields that stand before the attributes, and a comma. */
function writeHeader(json: JsonWriter, record: Omit<TelemetryRecord, 'attributes'>, attributesBytes: number): void {
  json.character(OPEN_BRACKET);
  writeField(json, record.ts);
  writeField(json, record.latitude);
  writeField(json, record.longitude);
  writeField(json, record.altitude);
  writeField(json, record.course);
  writeField(json, record.speed);
  writeField(json, record.satellites);
  writeField(json, record.hdop);
  json.characters(record.valid ? TRUE : FALSE);
  writeField(json, record.priority);
  writeField(json, record.eventId);
  writeField(json, attributesBytes);
}

function writeField(json: JsonWriter, value: number | null): void {
  if (value === null) json.characters(NULL);
  // Fields have no negative zero: it is no other place or time.
  else json.number(value + 0);
  json.character(COMMA);
}

/** Those of `record-fields.ts`, and `attributesBytes`. */
const HEADER_FIELDS = 12;
const COMMA = 0x2c;
const NULL = Buffer.from('null');
const TRUE = Buffer.from('true,');
const FALSE = Buffer.from('false,');
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

type Header = [
  number, number | null, number | null, number | null, number | null, number | null,
  number | null, number | null, boolean, number, number, number,
];

function toRecord(header: Header, attributesJson: Buffer): StoredRecord {
  const [ts, latitude, longitude, altitude, course, speed, satellites, hdop, valid, priority, eventId] = header;
  return {
    ts, latitude, longitude, altitude, course, speed, satellites, hdop, valid, priority, eventId, attributesJson,
  };
}

/** Offset of the comma before the attributes, or of the end when there are too few commas. */
function endOfHeader(json: Buffer, start: number): number {
  let at = start;
  for (let field = 0; field < HEADER_FIELDS && at !== -1; field += 1) at = json.indexOf(COMMA, at + 1);
  return at === -1 ? json.length : at;
}

/** The twelve scalars before the attributes; undefined where the text is not that. */
function parseHeader(json: Buffer, start: number, end: number): readonly unknown[] | undefined {
  try {
    const header: unknown = JSON.parse(`${json.toString('latin1', start, end)}]`);
    return Array.isArray(header) && header.length === HEADER_FIELDS ? header : undefined;
  } catch {
    return undefined;
  }
}

interface Step {
  readonly result: RecordResult;
  readonly next: number;
}

/** Reads the record that begins at `start`; throws where its end cannot be found. */
function readRecord(json: Buffer, start: number, path: string): Step {
  const comma = endOfHeader(json, start);
  const header = json[start] === OPEN_BRACKET ? parseHeader(json, start, comma) : undefined;
  const length = Number(header?.[HEADER_FIELDS - 1]);
  const end = comma + 1 + length;
  const closed =
    json[comma + 1] === OPEN_BRACE && json[end - 1] === CLOSE_BRACE && json[end] === CLOSE_BRACKET && length >= 2;
  if (header === undefined || !closed) {
    throw new CodecError(path, 'a record', json.toString('utf8', start, start + 80));
  }
  try {
    const record = toRecord(header as Header, json.subarray(comma + 1, end));
    checkFields(record, `${path}.`);
    return { result: { ok: true, record }, next: end + 1 };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return { result: { ok: false, error, text: json.subarray(start, end + 1) }, next: end + 1 };
  }
}

/**
 * Every record of the JSON array `json`, in order. A record with a field out of range is an element with `ok: false`.
 * @throws CodecError where the array itself cannot be followed.
 */
export function readRecords(json: Buffer): RecordResult[] {
  const results: RecordResult[] = [];
  if (json[0] !== OPEN_BRACKET || json.at(-1) !== CLOSE_BRACKET) throw new CodecError('records', 'a JSON array', json.toString('utf8', 0, 80));
  const plain = new PlainReader(json);
  let at = 1;
  while (at < json.length - 1) {
    const record = plain.record(at);
    const { result, next } = record === null
      ? readRecord(json, at, `records[${results.length}]`)
      : { result: { ok: true, record } as const, next: plain.at };
    results.push(result);
    if (json[next] !== COMMA && next !== json.length - 1) throw new CodecError('records', 'a comma or the end', json.toString('utf8', next, next + 80));
    at = json[next] === COMMA ? next + 1 : next;
  }
  return results;
}

/** The record with its attributes decoded. @throws CodecError that names the attribute. */
export function decodeRecord(stored: StoredRecord): TelemetryRecord {
  const { attributesJson, ...fields } = stored;
  return { ...fields, attributes: parseAttributes(attributesJson) };
}
