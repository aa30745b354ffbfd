/**
 * Positions as KML 2.2 with tracks of Google's extension: for each some rows a track, since a track has all its times
 * before all its coordinates. Positions without a fix are not in it.
 */
import type { TextRow } from '../database.ts';
import type { PlacedColumn } from './columns.ts';
import { isoOf, jsonOf } from './columns.ts';
import type { Format } from './format.ts';
import { placeIn, xmlText } from './format.ts';

function trackWriter(columns: readonly PlacedColumn[]): (rows: readonly TextRow[]) => string {
  const [timeAt, latitudeAt, longitudeAt, altitudeAt] =
    ['ts', 'latitude', 'longitude', 'altitude'].map((name) => placeIn(columns, name)) as [number, number, number, number];
  return (rows) => {
    let times = '';
    let coordinates = '';
    for (const row of rows) {
      const at = (index: number): string => jsonOf('number', row[index] ?? null);
      const [latitude, longitude, altitude] = [at(latitudeAt), at(longitudeAt), at(altitudeAt)];
      if (latitude === 'null' || longitude === 'null') continue;
      times += `<when>${isoOf(row[timeAt] ?? '0')}</when>\n`;
      coordinates += `<gx:coord>${longitude} ${latitude} ${altitude === 'null' ? '0' : altitude}</gx:coord>\n`;
    }
    return times === '' ? '' : `<gx:Track>\n${times}${coordinates}</gx:Track>\n`;
  };
}

export const kml: Format = (columns, { name }) => ({
  head:
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    '<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2">\n' +
    `<Document><name>${xmlText(name)}</name>\n` +
    `<Placemark><name>${xmlText(name)}</name><gx:MultiTrack><gx:interpolate>1</gx:interpolate>\n`,
  rows: trackWriter(columns),
  tail: '</gx:MultiTrack></Placemark></Document>\n</kml>\n',
});
