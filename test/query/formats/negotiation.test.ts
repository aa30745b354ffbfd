import { describe, expect, it } from 'vitest';
import { negotiate } from '../../../src/query/formats/negotiation.ts';

const ALL = ['json', 'ndjson', 'csv', 'geojson', 'gpx', 'kml'] as const;

describe('negotiate', () => {
  it.each([
    [undefined, 'json'], ['', 'json'], ['*/*', 'json'], ['text/csv', 'csv'], ['TEXT/CSV', 'csv'], ['application/*', 'json'], ['text/*', 'csv'],
    ['application/vnd.google-earth.kml+xml', 'kml'], ['application/x-ndjson, application/json;q=0.9', 'ndjson'],
    ['image/png, application/gpx+xml;q=0.1', 'gpx'], ['application/json;q=0, text/csv', 'csv'], ['application/jsonl', 'ndjson'],
    ['application/json;q=0, */*', 'ndjson'], ['text/csv;q=nonsense, application/json;q=0.1', 'json'], ['application/json; charset=utf-8', 'json'],
  ])('gives for %s %s', (accept, wanted) => {
    expect(negotiate(undefined, accept, ALL)).toBe(wanted);
  });

  it('goes by the parameter before the header', () => {
    expect(negotiate('gpx', 'text/csv', ALL)).toBe('gpx');
  });

  it('refuses what it does not have, and says what it has', () => {
    expect(() => negotiate(undefined, 'image/*, application/json;q=0', ['json', 'geojson'])).toThrow(
      expect.objectContaining({ code: 'not_acceptable', message: 'this comes as application/json, application/geo+json' }));
  });
});
