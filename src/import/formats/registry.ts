/** Every format, and how a file is told to be of one: by its name, and by how it begins. */
import type { Reader } from '../item.ts';
import { csv } from './csv.ts';
import { geojson } from './geojson.ts';
import { gpx } from './gpx.ts';
import { ndjson } from './ndjson.ts';
import { recordsJson } from './records-json.ts';
import { traccarJson } from './traccar-json.ts';

export const FORMATS = {
  csv: { reader: csv, endings: ['csv', 'tsv', 'txt'], names: 'CSV with a header line; also what Traccar exports' },
  gpx: { reader: gpx, endings: ['gpx'], names: 'GPX' },
  geojson: { reader: geojson, endings: ['geojson'], names: 'GeoJSON' },
  ndjson: { reader: ndjson, endings: ['ndjson', 'jsonl'], names: 'a record a line' },
  json: { reader: recordsJson, endings: [], names: 'an array of records' },
  'traccar-json': { reader: traccarJson, endings: [], names: "positions of Traccar's API" },
} as const satisfies Record<string, { reader: Reader; endings: readonly string[]; names: string }>;

export type FormatName = keyof typeof FORMATS;

export const FORMAT_NAMES = Object.keys(FORMATS) as readonly FormatName[];

function jsonFormat(head: string): FormatName {
  if (/"(?:fixTime|deviceTime)"\s*:/.test(head)) return 'traccar-json';
  if (/"type"\s*:\s*"(?:FeatureCollection|Feature)"|"features"\s*:|"geometry"\s*:/.test(head)) return 'geojson';
  // Objects below each other are lines; one that is the whole file is a line too.
  return head.startsWith('[') ? 'json' : 'ndjson';
}

/**
 * null: none can be told.
 * @param name of the file without `.gz`
 * @param head how it begins, some thousand characters
 */
export function formatOf(name: string, head: string): FormatName | null {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  const named = FORMAT_NAMES.find((format) => (FORMATS[format].endings as readonly string[]).includes(ending));
  if (named !== undefined) return named;
  const text = head.replace(/^\ufeff/, '').trimStart();
  if (text.startsWith('{') || text.startsWith('[')) return jsonFormat(text);
  if (text.startsWith('<') && text.includes('<gpx')) return 'gpx';
  return null;
}
