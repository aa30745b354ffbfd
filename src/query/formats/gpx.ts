/** Positions as a track of GPX 1.1, in the order that its schema wants. Positions without a fix are not in it. */
import type { TextRow } from '../database.ts';
import type { PlacedColumn } from './columns.ts';
import { isoOf, jsonOf } from './columns.ts';
import type { Format } from './format.ts';
import { placeIn, xmlText } from './format.ts';

/** km/h to m/s, which is what readers of the extension expect. */
const KPH_PER_MPS = 3.6;

/** Speed in m/s and course in degrees, as Garmin's extension has them. */
const EXTENSION = 'http://www.garmin.com/xmlschemas/TrackPointExtension/v2';

function element(name: string, text: string): string {
  return text === 'null' ? '' : `<${name}>${text}</${name}>`;
}

function extensions(speed: string, course: string): string {
  const inside = element('e:speed', speed === 'null' ? speed : (Number(speed) / KPH_PER_MPS).toFixed(3)) + element('e:course', course);
  return inside === '' ? '' : `<extensions><e:TrackPointExtension>${inside}</e:TrackPointExtension></extensions>`;
}

function pointWriter(columns: readonly PlacedColumn[]): (row: TextRow) => string {
  const timeAt = placeIn(columns, 'ts');
  const [latitudeAt, longitudeAt, altitudeAt, speedAt, courseAt, satellitesAt, hdopAt] =
    ['latitude', 'longitude', 'altitude', 'speed', 'course', 'satellites', 'hdop'].map((name) => placeIn(columns, name)) as
      [number, number, number, number, number, number, number];
  return (row) => {
    const at = (index: number): string => jsonOf('number', row[index] ?? null);
    const [latitude, longitude] = [at(latitudeAt), at(longitudeAt)];
    if (latitude === 'null' || longitude === 'null') return '';
    return (
      `<trkpt lat="${latitude}" lon="${longitude}">${element('ele', at(altitudeAt))}<time>${isoOf(row[timeAt] ?? '0')}</time>` +
      `${element('sat', at(satellitesAt))}${element('hdop', at(hdopAt))}${extensions(at(speedAt), at(courseAt))}</trkpt>\n`
    );
  };
}

export const gpx: Format = (columns, { name }) => {
  const write = pointWriter(columns);
  return {
    head:
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
      `<gpx version="1.1" creator="Odograph" xmlns="http://www.topografix.com/GPX/1/1" xmlns:e="${EXTENSION}">\n` +
      `<trk><name>${xmlText(name)}</name><trkseg>\n`,
    rows: (rows) => rows.map(write).join(''),
    tail: '</trkseg></trk>\n</gpx>\n',
  };
};
