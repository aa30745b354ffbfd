/** A record a line, as `POST /v1/records` takes them; also with other names for the fields. */
import { LineSplitter } from '../../ingest/http/lines.ts';
import type { Line } from '../../ingest/http/lines.ts';
import { RECORD_FIELDS } from '../../ingest/http/record.ts';
import { FieldError, FieldReader, targetsOf } from '../fields.ts';
import type { Fields, Item, ReadOptions, Reader } from '../item.ts';
import { unreadable } from '../item.ts';

const MAX_LINE_BYTES = 1024 * 1024;

/** Names as the API has them need nothing done to them. */
function isRecord(parsed: Fields, { mapping, deviceId }: ReadOptions): boolean {
  if (mapping.size > 0 || typeof parsed['ts'] !== 'number') return false;
  if (deviceId !== null) return false;
  return Object.keys(parsed).every((name) => RECORD_FIELDS.has(name));
}

export function recordOf(parsed: Fields, options: ReadOptions, fields: FieldReader): Fields {
  // What the API gives out has the time of receipt, which is the server's to set.
  const { receivedAt: _receivedAt, ...given } = parsed;
  if (isRecord(given, options)) return given;
  const names = Object.keys(given);
  return fields.record(targetsOf(names, options), Object.values(given));
}

function itemOf(line: Line, at: number, options: ReadOptions, fields: FieldReader): Item[] {
  if (line.kind === 'too_long') return [unreadable(at, '', '', `a line longer than ${MAX_LINE_BYTES} bytes`)];
  const text = line.bytes.toString();
  if (text.trim() === '') return [];
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return [unreadable(at, text, '', 'expected an object')];
    return [{ kind: 'record', at, record: recordOf(parsed as Fields, options, fields) }];
  } catch (error) {
    if (error instanceof FieldError) return [unreadable(at, text, error.field, error.message)];
    if (error instanceof SyntaxError) return [unreadable(at, text, '', error.message)];
    throw error;
  }
}

export const ndjson: Reader = async function* read(bytes, options) {
  const lines = new LineSplitter(MAX_LINE_BYTES);
  const fields = new FieldReader(options);
  let at = 0;
  for await (const chunk of bytes) {
    const items: Item[] = [];
    for (const line of lines.push(chunk)) items.push(...itemOf(line, ++at, options, fields));
    yield items;
  }
  const rest: Item[] = [];
  for (const line of lines.end()) rest.push(...itemOf(line, ++at, options, fields));
  yield rest;
};
