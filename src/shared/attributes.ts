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
import type { Attributes, AttributeValue } from './model.ts';
import { CodecError } from './errors.ts';
import { isStorableText } from './text.ts';

const BIGINT = '__bigint';
const BUFFER = '__buffer_b64';

/** JSON of attribute names seen before: trackers send the same few hundred names for ever. */
const quotedNames = new Map<string, string>();
const QUOTED_NAMES_LIMIT = 4096;
/** A device that makes names up may send some as long as a frame: those are not kept. */
const QUOTED_NAME_LENGTH = 64;

function quoteName(name: string): string {
  const known = quotedNames.get(name);
  if (known !== undefined) return known;
  const quoted = quoteText(name, name);
  if (quotedNames.size < QUOTED_NAMES_LIMIT && name.length <= QUOTED_NAME_LENGTH) quotedNames.set(name, quoted);
  return quoted;
}

function quoteText(name: string, text: string): string {
  if (!isStorableText(text)) throw new CodecError(`attributes.${name}`, 'text without NUL or lone surrogate', text);
  return JSON.stringify(text);
}

function encodeNumber(name: string, value: number): string {
  if (!Number.isFinite(value)) throw new CodecError(`attributes.${name}`, 'a finite number', String(value));
  return Object.is(value, -0) ? '-0' : String(value);
}

function encodeValue(name: string, value: AttributeValue): string {
  switch (typeof value) {
    case 'number':
      return encodeNumber(name, value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'string':
      return quoteText(name, value);
    case 'bigint':
      return `{"${BIGINT}":"${value}"}`;
    default:
      return `{"${BUFFER}":"${value.toString('base64')}"}`;
  }
}

/** @throws CodecError for a number that is not finite, and for text that PostgreSQL's JSON cannot hold. */
export function encodeAttributes(attributes: Attributes): string {
  let json = '{';
  let separator = '';
  for (const [name, value] of attributes) {
    json += `${separator}${quoteName(name)}:${encodeValue(name, value)}`;
    separator = ',';
  }
  return `${json}}`;
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

function encodeParsedValue(name: string, value: unknown): string {
  switch (typeof value) {
    case 'number':
      if (Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < LEAST_POWER) {
        throw new CodecError(`attributes.${name}`, `an integer within ±(2^53−1), or {"${BIGINT}": "digits"}`, value);
      }
      return encodeNumber(name, value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'string':
      return quoteText(name, value);
    default:
      return encodeValue(name, decodeParsedObject(`attributes.${name}`, value));
  }
}

/** What came from outside may be nested so deep that describing it would end the stack. */
function decodeParsedObject(field: string, value: unknown): AttributeValue {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object';
  const isFlat = typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one !== 'object');
  if (kind === 'an object' && isFlat) return decodeValue(field, value);
  throw new CodecError(field, `a number, boolean, string, {"${BIGINT}": digits} or {"${BUFFER}": base64}`, kind);
}

/**
 * The JSON that `encodeAttributes` makes, straight from an object that `JSON.parse` gave: the same values as through
 * `decodeAttributes`, but for an integer that parsing has rounded, which is an error here.
 * @throws CodecError that names the attribute.
 */
export function encodeParsedAttributes(parsed: object): string {
  let json = '{';
  let separator = '';
  for (const [name, value] of Object.entries(parsed)) {
    json += `${separator}${quoteName(name)}:${encodeParsedValue(name, value)}`;
    separator = ',';
  }
  return `${json}}`;
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
