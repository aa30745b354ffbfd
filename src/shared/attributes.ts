/**
 * Attributes as JSON, the same text on the stream, in the database's jsonb and in the API, so that no hop converts or
 * rounds a value. What JSON has no word for is a sentinel: a bigint is `{"__bigint":"18446744073709551615"}`, a Buffer
 * `{"__buffer_b64":"AQID"}`. Attribute values are never objects, so a sentinel cannot be mistaken for one.
 *
 * Text that PostgreSQL's JSON cannot hold (a NUL, half of a surrogate pair) is an error here, so that it ends as a dead
 * letter with the bytes of its frame, and not in the middle of a transaction of the processor.
 *
 * Errors: `CodecError` that names the attribute.
 */
import { NamePath } from './attribute-order.ts';
import type { Attributes, AttributeValue } from './model.ts';
import { CodecError } from './errors.ts';
import { JsonWriter } from './json-writer.ts';
import { isStorableText } from './text.ts';

const BIGINT = '__bigint';
const BUFFER = '__buffer_b64';

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const COMMA = 0x2c;
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');

function quoteName(name: string): string {
  return quoteText(name, name);
}

function quoteText(name: string, text: string): string {
  if (!isStorableText(text)) throw new CodecError(`attributes.${name}`, 'text without NUL or lone surrogate', text);
  return JSON.stringify(text);
}

function writeNumber(json: JsonWriter, name: string, value: number): void {
  if (!Number.isFinite(value)) throw new CodecError(`attributes.${name}`, 'a finite number', String(value));
  json.number(value);
}

function writeValue(json: JsonWriter, name: string, value: AttributeValue): void {
  switch (typeof value) {
    case 'number':
      writeNumber(json, name, value);
      return;
    case 'boolean':
      json.characters(value ? TRUE : FALSE);
      return;
    case 'string':
      json.text(quoteText(name, value));
      return;
    case 'bigint':
      json.text(`{"${BIGINT}":"${value}"}`);
      return;
    default:
      json.text(`{"${BUFFER}":"${value.toString('base64')}"}`);
  }
}

const writer = new JsonWriter();

/** Their JSON. @throws CodecError as `writeAttributes` does. */
export function encodeAttributes(attributes: Attributes): string {
  writer.clear();
  writeAttributes(writer, attributes);
  return writer.toString();
}

const ofTrackers = NamePath.start();
/** A client of the API may make names up. */
const ofClients = NamePath.start();
/** Of the record that is written. */
const values: unknown[] = [];

type WriteValue<Value> = (json: JsonWriter, name: string, value: Value) => void;

/**
 * Appends their JSON, in the order of `attribute-order.ts`.
 * @throws CodecError for a number that is not finite, and for text that PostgreSQL's JSON cannot hold.
 */
export function writeAttributes(json: JsonWriter, attributes: Attributes): void {
  writeOrdered(json, attributes, ofTrackers, writeValue);
}

function writeOrdered<Value>(
  json: JsonWriter,
  members: Iterable<readonly [name: string, value: Value]>,
  noNames: NamePath,
  write: WriteValue<Value>,
): void {
  let path: NamePath | null = noNames;
  let count = 0;
  for (const [name, value] of members) {
    path = path.with(name, quoteName);
    if (path === null) {
      writeMembers(json, members, write);
      return;
    }
    values[count++] = value;
  }
  const { order } = path;
  for (const { name, lead, index } of order) {
    json.characters(lead);
    write(json, name, values[index] as Value);
  }
  if (order.length === 0) json.character(OPEN_BRACE);
  json.character(CLOSE_BRACE);
}

/** In the order in which they come. */
function writeMembers<Value>(
  json: JsonWriter,
  members: Iterable<readonly [name: string, value: Value]>,
  write: WriteValue<Value>,
): void {
  json.character(OPEN_BRACE);
  let isFirst = true;
  for (const [name, value] of members) {
    if (!isFirst) json.character(COMMA);
    isFirst = false;
    json.text(`${quoteName(name)}:`);
    write(json, name, value);
  }
  json.character(CLOSE_BRACE);
}

const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function decodeSentinel(field: string, value: object): AttributeValue {
  const [entry, ...others] = Object.entries(value) as [string, unknown][];
  const [kind, content] = entry ?? [];
  if (others.length === 0 && typeof content === 'string') {
    if (kind === BIGINT && INTEGER.test(content)) return BigInt(content);
    if (kind === BUFFER && BASE64.test(content)) return Buffer.from(content, 'base64');
  }
  throw new CodecError(field, `{"${BIGINT}": integer digits} or {"${BUFFER}": base64}`, value);
}

function decodeValue(field: string, value: unknown): AttributeValue {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return decodeSentinel(field, value);
  throw new CodecError(field, 'a number, boolean, string or sentinel', value);
}

/**
 * Attributes out of parsed JSON. `field` is the path for errors, e.g. `records[0].attributes`.
 * @throws CodecError that names the attribute.
 */
export function decodeAttributes(parsed: unknown, field = 'attributes'): Attributes {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new CodecError(field, 'an object of attributes', parsed);
  }
  const attributes = new Map<string, AttributeValue>();
  for (const [name, value] of Object.entries(parsed)) attributes.set(name, decodeValue(`${field}.${name}`, value));
  return attributes;
}

/** From here on an integer is written as a power: whoever writes one does not mean every digit. */
const LEAST_POWER = 1e21;

function writeParsedValue(json: JsonWriter, name: string, value: unknown): void {
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') {
    if (isRounded(value)) {
      throw new CodecError(`attributes.${name}`, `an integer within ±(2^53−1), or {"${BIGINT}": "digits"}`, value);
    }
    writeValue(json, name, value);
  } else writeValue(json, name, decodeParsedObject(`attributes.${name}`, value));
}

function isRounded(value: unknown): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value as number) < LEAST_POWER;
}

/** What came from outside may be nested so deep that describing it would end the stack. */
function decodeParsedObject(field: string, value: unknown): AttributeValue {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object';
  const isFlat = typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one !== 'object');
  if (kind === 'an object' && isFlat) return decodeValue(field, value);
  throw new CodecError(field, `a number, boolean, string, {"${BIGINT}": digits} or {"${BUFFER}": base64}`, kind);
}

/**
 * The JSON of an object that `JSON.parse` gave: the same as through `decodeAttributes` and `encodeAttributes`, but for
 * an integer that parsing has rounded, which is an error here.
 * @throws CodecError that names the attribute.
 */
export function encodeParsedAttributes(parsed: object): string {
  writer.clear();
  writeOrdered(writer, Object.entries(parsed), ofClients, writeParsedValue);
  return writer.toString();
}

/** @throws CodecError for text that is not JSON, or not attributes. */
export function parseAttributes(json: string | Buffer, field = 'attributes'): Attributes {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json.toString());
  } catch {
    throw new CodecError(field, 'JSON', json.toString());
  }
  return decodeAttributes(parsed, field);
}
