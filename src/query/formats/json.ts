/** Positions as JSON: the same text as in the live feed, as a list, as lines, or as features of GeoJSON. */
import type { TextRow } from '../database.ts';
import { ATTRIBUTE_PREFIX, jsonOf } from './columns.ts';
import type { ColumnKind, PlacedColumn } from './columns.ts';
import type { Format } from './format.ts';
import { placeIn } from './format.ts';

/** A member of an object: what stands before its value, and how that is made. */
interface Member {
  readonly at: number;
  readonly kind: ColumnKind;
  /** `"name":` */
  readonly key: string;
}

function memberOf({ name, kind, at }: PlacedColumn): Member {
  const shown = kind === 'attribute' ? name.slice(ATTRIBUTE_PREFIX.length) : name;
  return { at, kind, key: `${JSON.stringify(shown)}:` };
}

/** In a loop over some ten members and a million rows: plain, without a function for each. */
function membersText(members: readonly Member[], row: TextRow): string {
  let json = '';
  for (const { at, kind, key } of members) {
    if (json !== '') json += ',';
    json += key + jsonOf(kind, row[at] ?? null);
  }
  return json;
}

/** Attributes that were chosen and that the record does not have are left out, as in the whole of its attributes. */
function chosenAttributes(members: readonly Member[], row: TextRow): string {
  return membersText(members.filter(({ at }) => (row[at] ?? null) !== null), row);
}

/** Rows of these columns as JSON objects. Columns whose names begin with `$` are not shown. */
export function objectWriter(
  columns: readonly PlacedColumn[],
  without: ReadonlySet<string> = new Set(),
): (row: TextRow) => string {
  const shown = columns.filter(({ name }) => !name.startsWith('$') && !without.has(name));
  const fields = shown.filter(({ kind }) => kind !== 'attribute').map(memberOf);
  const attributes = shown.filter(({ kind }) => kind === 'attribute').map(memberOf);
  if (attributes.length === 0) return (row) => `{${membersText(fields, row)}}`;
  const comma = fields.length === 0 ? '' : ',';
  return (row) => `{${membersText(fields, row)}${comma}"attributes":{${chosenAttributes(attributes, row)}}}`;
}

/** A line for each position. */
export const ndjson: Format = (columns) => {
  const write = objectWriter(columns);
  return { head: '', rows: (rows) => rows.map((row) => `${write(row)}\n`).join(''), tail: '' };
};

/** `[longitude, latitude]`, with the altitude where it is known; null without a fix. */
function geometryWriter(columns: readonly PlacedColumn[]): (row: TextRow) => string {
  const [latitudeAt, longitudeAt] = [placeIn(columns, 'latitude'), placeIn(columns, 'longitude')];
  const altitudeAt = placeIn(columns, 'altitude');
  return (row) => {
    const latitude = jsonOf('number', row[latitudeAt] ?? null);
    const longitude = jsonOf('number', row[longitudeAt] ?? null);
    if (latitude === 'null' || longitude === 'null') return 'null';
    const altitude = jsonOf('number', row[altitudeAt] ?? null);
    return `{"type":"Point","coordinates":[${longitude},${latitude}${altitude === 'null' ? '' : `,${altitude}`}]}`;
  };
}

/** A feature for each row; what is no geometry is a property. */
export function featureWriter(columns: readonly PlacedColumn[]): (row: TextRow) => string {
  const geometry = geometryWriter(columns);
  const properties = objectWriter(columns, new Set(['latitude', 'longitude', 'altitude']));
  return (row) => `{"type":"Feature","geometry":${geometry(row)},"properties":${properties(row)}}`;
}

/** RFC 7946. */
export const geojson: Format = (columns) => {
  const write = featureWriter(columns);
  let separator = '\n';
  return {
    head: '{"type":"FeatureCollection","features":[',
    rows: (rows) => {
      const features = separator + rows.map(write).join(',\n');
      separator = ',\n';
      return features;
    },
    tail: '\n]}\n',
  };
};
