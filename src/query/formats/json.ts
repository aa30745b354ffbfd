/** Positions as JSON: the same text as in the live feed, as a list, as lines, or as features of GeoJSON. */
import type { TextRow } from '../database.ts';
import { ATTRIBUTE_PREFIX, jsonOf } from './columns.ts';
import type { Column, ColumnKind } from './columns.ts';
import type { Format } from './format.ts';
import { indexOf } from './format.ts';

interface Member {
  readonly index: number;
  readonly kind: ColumnKind;
  /** `"name":` */
  readonly key: string;
}

function membersOf(columns: readonly Column[], wanted: (column: Column) => boolean): Member[] {
  return columns.flatMap((column, index) => {
    if (!wanted(column)) return [];
    const name = column.kind === 'attribute' ? column.name.slice(ATTRIBUTE_PREFIX.length) : column.name;
    return [{ index, kind: column.kind, key: `${JSON.stringify(name)}:` }];
  });
}

function membersText(members: readonly Member[], row: TextRow): string {
  let json = '';
  for (const { index, kind, key } of members) {
    json += `${json === '' ? '' : ','}${key}${jsonOf(kind, row[index] ?? null)}`;
  }
  return json;
}

/** Attributes that were chosen and that the record does not have are left out, as in the whole of its attributes. */
function chosenAttributes(members: readonly Member[], row: TextRow): string {
  return membersText(members.filter(({ index }) => (row[index] ?? null) !== null), row);
}

/** Rows of these columns as JSON objects. Columns whose names begin with `$` are not shown. */
export function objectWriter(
  columns: readonly Column[],
  without: ReadonlySet<string> = new Set(),
): (row: TextRow) => string {
  const isShown = ({ name }: Column): boolean => !name.startsWith('$') && !without.has(name);
  const fields = membersOf(columns, (column) => isShown(column) && column.kind !== 'attribute');
  const attributes = membersOf(columns, (column) => column.kind === 'attribute');
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
function geometryWriter(columns: readonly Column[]): (row: TextRow) => string {
  const [latitudeAt, longitudeAt] = [indexOf(columns, 'latitude'), indexOf(columns, 'longitude')];
  const altitudeAt = columns.findIndex(({ name }) => name === 'altitude');
  return (row) => {
    const latitude = jsonOf('number', row[latitudeAt] ?? null);
    const longitude = jsonOf('number', row[longitudeAt] ?? null);
    if (latitude === 'null' || longitude === 'null') return 'null';
    const altitude = jsonOf('number', row[altitudeAt] ?? null);
    return `{"type":"Point","coordinates":[${longitude},${latitude}${altitude === 'null' ? '' : `,${altitude}`}]}`;
  };
}

/** A feature for each row; what is no geometry is a property. */
export function featureWriter(columns: readonly Column[]): (row: TextRow) => string {
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
