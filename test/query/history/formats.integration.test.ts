import { parse } from 'csv-parse/sync';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import type { Asked } from '../support.ts';
import { addDevices, addPositions, openPrepared, refusal, startApi } from '../support.ts';

const START = Date.parse('2026-05-04T10:00:00Z');
/** What XML, CSV and JSON each need to escape, and what none of them can hold. */
const DEVICE = 'a&b <c> "d"\'; e,f \u{1F69A}';
const NOTE = 'one, "two"\r\n<three> & four';
const PATH = `/v1/devices/${encodeURIComponent(DEVICE)}/positions?from=2026-05-04&to=2026-05-05`;

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly children: Element[];
  text: string;
}

/** @throws for what is not well-formed, or has an undeclared namespace */
function parseXml(xml: string): Element {
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const stack = [root];
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => { throw error; });
  parser.on('opentag', ({ name, attributes }) => {
    const plain = Object.fromEntries(Object.entries(attributes).map(([key, { value }]) => [key, value]));
    const element: Element = { name, attributes: plain, children: [], text: '' };
    stack.at(-1)?.children.push(element);
    stack.push(element);
  });
  parser.on('text', (text) => {
    const element = stack.at(-1);
    if (element !== undefined) element.text += text;
  });
  parser.on('closetag', () => stack.pop());
  parser.write(xml).close();
  return root.children[0] ?? root;
}

function find(element: Element, name: string): Element[] {
  return [...(element.name === name ? [element] : []), ...element.children.flatMap((child) => find(child, name))];
}

const textsOf = (element: Element, name: string): string[] => find(element, name).map(({ text }) => text);

async function openApi(count = 3) {
  const site = await openPrepared();
  const ids = await addDevices(site.pool, DEVICE);
  await site.pool.query('update devices set name = $1', [`${DEVICE}\u0001`]);
  const attributes =
    `{"note": ${JSON.stringify(NOTE)}, "ignition": true, "power": 12.30, ` +
    '"serial": {"__bigint": "18446744073709551615"}}';
  await addPositions(site.pool, ids.get(DEVICE), [
    { ts: START, latitude: -33.123456789012, longitude: 151.2, altitude: 34.5, speed: 36, attributes },
    { ts: START + 1_000, latitude: null, longitude: null, altitude: null, speed: null },
    ...Array.from({ length: count - 2 }, (_, index) => (
      { ts: START + (index + 2) * 1_000, altitude: null, speed: null })),
  ]);
  return startApi(site);
}

function type({ headers }: Asked): string | null {
  return headers.get('content-type');
}

describe('the history of a device', () => {
  it('as NDJSON has on each line what JSON has', async () => {
    const api = await openApi();
    const [json, ndjson] = [await api.ask(PATH), await api.ask(`${PATH}&format=ndjson`)];
    expect(type(ndjson)).toBe('application/x-ndjson; charset=utf-8');
    const lines = ndjson.text.split('\n');
    expect(lines.at(-1)).toBe('');
    const { items } = json.json as { items: unknown[] };
    expect(lines.slice(0, -1).map((line) => JSON.parse(line) as unknown)).toEqual(items);
    expect(ndjson.text).toContain('"power": 12.30');
  });

  it('as CSV is read back by a parser, whatever the text', async () => {
    const api = await openApi();
    const answer = await api.ask(`${PATH}&format=csv`);
    expect(type(answer)).toBe('text/csv; charset=utf-8; header=present');
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="[\w.-]+\.csv"$/);
    const rows = parse<Record<string, string>>(answer.text, { columns: true, record_delimiter: '\r\n' });
    expect(rows).toHaveLength(3);
    expect(rows[0]).toMatchObject({
      deviceId: DEVICE, ts: String(START), time: '2026-05-04T10:00:00.000Z', valid: 'true',
      latitude: '-33.123456789012', longitude: '151.2', altitude: '34.5',
    });
    expect(JSON.parse(rows[0]?.['attributes'] ?? '')).toMatchObject({ note: NOTE });
    expect(rows[1]).toMatchObject({ latitude: '', longitude: '', altitude: '', speed: '', valid: 'false', attributes: '{}' });
  });

  it('as CSV has a column for each attribute that was asked for', async () => {
    const api = await openApi();
    const fields = ['ts', ...['note', 'ignition', 'power', 'serial', 'none'].map((name) => `attributes.${name}`)];
    const { text } = await api.ask(`${PATH}&format=csv&fields=${fields.join(',')}`);
    const [header, first, second] = parse(text);
    expect(header).toEqual(fields);
    expect(first).toEqual([String(START), NOTE, 'true', '12.30', '{"__bigint": "18446744073709551615"}', '']);
    expect(second).toEqual([String(START + 1_000), '', '', '', '', '']);
  });

  it('as GeoJSON is a collection of points, null without a fix', async () => {
    const api = await openApi();
    const answer = await api.ask(`${PATH}&format=geojson`);
    expect(type(answer)).toBe('application/geo+json; charset=utf-8');
    interface Feature { geometry: unknown; properties: Record<string, unknown> }
    const { features, ...collection } = answer.json as { features: Feature[] };
    expect(collection).toEqual({ type: 'FeatureCollection' });
    expect(features.map(({ geometry }) => geometry)).toEqual([
      { type: 'Point', coordinates: [151.2, -33.123456789012, 34.5] }, null, { type: 'Point', coordinates: [13.4, 52.5] },
    ]);
    const attributes = expect.objectContaining({ note: NOTE }) as unknown;
    expect(features[0]?.properties).toMatchObject({ deviceId: DEVICE, ts: START, speed: 36, attributes });
    expect(features[0]?.properties).not.toHaveProperty('latitude');
  });

  it('as GPX is well-formed and in the order of its schema', async () => {
    const api = await openApi();
    const answer = await api.ask(`${PATH}&format=gpx`);
    expect(type(answer)).toBe('application/gpx+xml; charset=utf-8');
    const gpx = parseXml(answer.text);
    expect(gpx).toMatchObject({ name: 'gpx', attributes: { version: '1.1', xmlns: 'http://www.topografix.com/GPX/1/1' } });
    expect(find(gpx, 'trk')[0]?.children[0]).toMatchObject({ name: 'name', text: `${DEVICE}\uFFFD` });
    const points = find(gpx, 'trkpt');
    expect(points.map(({ attributes }) => attributes)).toEqual([{ lat: '-33.123456789012', lon: '151.2' }, { lat: '52.5', lon: '13.4' }]);
    expect(points[0]?.children.map(({ name }) => name)).toEqual(['ele', 'time', 'sat', 'hdop', 'extensions']);
    expect(textsOf(gpx, 'time')).toEqual(['2026-05-04T10:00:00.000Z', '2026-05-04T10:00:02.000Z']);
    expect(textsOf(gpx, 'e:speed')).toEqual(['10.000']);
    expect(textsOf(gpx, 'ele')).toEqual(['34.5']);
  });

  it('as KML has in every track as many times as coordinates', async () => {
    const api = await openApi(2_500);
    const answer = await api.ask(`${PATH}&format=kml`);
    expect(type(answer)).toBe('application/vnd.google-earth.kml+xml; charset=utf-8');
    const kml = parseXml(answer.text);
    expect(find(kml, 'Document')[0]?.children[0]).toMatchObject({ name: 'name', text: `${DEVICE}\uFFFD` });
    const tracks = find(kml, 'gx:Track');
    expect(tracks.length).toBeGreaterThan(1);
    for (const { children } of tracks) {
      const names = children.map(({ name }) => name);
      const half = names.length / 2;
      expect(names).toEqual([...Array<string>(half).fill('when'), ...Array<string>(half).fill('gx:coord')]);
    }
    expect(textsOf(kml, 'when')).toHaveLength(2_499);
    expect(textsOf(kml, 'gx:coord')[0]).toBe('151.2 -33.123456789012 34.5');
  });

  it.each([
    ['ndjson', 2_500, (text: string) => text.trim().split('\n').map((line) => JSON.parse(line) as unknown).length],
    ['csv', 2_500, (text: string) => parse(text).length - 1],
    ['geojson', 2_500, (text: string) => (JSON.parse(text) as { features: unknown[] }).features.length],
    ['gpx', 2_499, (text: string) => find(parseXml(text), 'trkpt').length],
    ['kml', 2_499, (text: string) => find(parseXml(text), 'when').length],
  ])('as %s has all of many batches: %i', async (format, count, countOf) => {
    const api = await openApi(2_500);
    const { text } = await api.ask(`${PATH}&format=${format}`);
    expect(countOf(text)).toBe(count);
  });

  it.each([
    ['text/csv', 'text/csv; charset=utf-8; header=present'], ['application/geo+json', 'application/geo+json; charset=utf-8'],
    ['text/html, application/xhtml+xml, */*;q=0.8', 'application/json; charset=utf-8'],
    ['application/json;q=0.5, application/gpx+xml', 'application/gpx+xml; charset=utf-8'],
    ['application/jsonl', 'application/x-ndjson; charset=utf-8'], ['text/*', 'text/csv; charset=utf-8; header=present'],
  ])('comes for Accept: %s as %s', async (accept, wanted) => {
    const api = await openApi();
    const answer = await api.ask(PATH, { headers: { accept } });
    expect(type(answer)).toBe(wanted);
    expect(answer.headers.get('vary')).toMatch(/\baccept\b/i);
  });

  it('is refused in a form that there is not', async () => {
    const api = await openApi();
    const answer = await api.ask(PATH, { headers: { accept: 'image/png' } });
    expect(refusal(answer)).toMatchObject({ status: 406, code: 'not_acceptable' });
  });

  it.each(['ndjson', 'csv', 'geojson', 'gpx', 'kml'])('that is empty is a whole document of %s', async (format) => {
    const api = await openApi();
    const { status, text } = await api.ask(`${PATH.replace('2026-05-04&to=2026-05-05', '2020-01-01&to=2020-01-02')}&format=${format}`);
    expect(status).toBe(200);
    if (format === 'geojson') expect(JSON.parse(text)).toEqual({ type: 'FeatureCollection', features: [] });
    if (format === 'csv') expect(parse(text)).toHaveLength(1);
    if (format === 'gpx' || format === 'kml') expect(parseXml(text).name).toBe(format);
    if (format === 'ndjson') expect(text).toBe('');
  });
});
