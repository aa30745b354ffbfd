/** A JSON array of records, as `POST /v1/records` takes them; also with other names for the fields. */
import { FieldReader } from '../fields.ts';
import type { Reader } from '../item.ts';
import { readElements } from './json-elements.ts';
import { recordOf } from './ndjson.ts';

export const recordsJson: Reader = (bytes, options) => {
  const fields = new FieldReader(options);
  return readElements(bytes, ['records'], (element) => [recordOf(element, options, fields)]);
};
