import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ElementScanner } from '../../src/import/element-scanner.ts';
import type { FormatName } from '../../src/import/formats/registry.ts';
import { FORMATS, formatOf } from '../../src/import/formats/registry.ts';
import type { Item, ReadOptions } from '../../src/import/item.ts';

const OPTIONS: ReadOptions = {
  deviceId: null, mapping: new Map(), devices: new Map([['7', '356307042441013']]), time: { zone: 'UTC', order: 'ymd' }, speedFactor: 1,
};
const NOON = Date.parse('2026-11-25T12:00:00Z');

async function* chunked(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(
  format: FormatName, text: string, options: Partial<ReadOptions> = {}, size = 1_000,
): Promise<Item[]> {
  const items: Item[] = [];
  for await (const part of FORMATS[format].reader(chunked(text, size), { ...OPTIONS, ...options })) items.push(...part);
  return items;
}

async function records(format: FormatName, text: string, options: Partial<ReadOptions> = {}): Promise<unknown[]> {
  const whole = await read(format, text, options);
  // However the bytes come.
  for (const size of [1, 7]) expect(await read(format, text, options, size)).toEqual(whole);
  return whole.map((item) => (item.kind === 'record' ? item.record : [item.at, item.fault.field, item.fault.message]));
}

describe('CSV', () => {
  it('finds fields by their usual names and keeps every other column as an attribute', async () => {
    const text = 'IMEI;Time;Lat;Lng;Speed (mph);Heading;Fuel level;Door;Driver\r\n356307042441013;2026-11-25T12:00:00Z;54.7;25.3;10;90;41.5;true;007\r\n';
    expect(await records('csv', text)).toEqual([{
      deviceId: '356307042441013', ts: NOON, latitude: 54.7, longitude: 25.3, speed: 16.093, course: 90,
      attributes: { 'Fuel level': 41.5, Door: true, Driver: '007' },
    }]);
  });

  it('reads times of a zone, of seconds and milliseconds, and of a date beside a time', async () => {
    const vilnius = { time: { zone: 'Europe/Vilnius', order: 'ymd' } } as const;
    expect(await records('csv', 'device,timestamp\na,2026-11-25 14:00:00\na,2026-07-01 15:00\n', vilnius)).toMatchObject([{ ts: NOON }, { ts: Date.parse('2026-07-01T12:00:00Z') }]);
    expect(await records('csv', `device,ts\na,${NOON}\na,${NOON / 1_000}\n`)).toMatchObject([{ ts: NOON }, { ts: NOON }]);
    const order = { time: { zone: 'UTC', order: 'dmy' } } as const;
    expect(await records('csv', 'device,Date,Time\na,25/11/2026,12:00:00\n', order)).toMatchObject([{ ts: NOON }]);
  });

  it('follows --map, and leaves out what is mapped to nothing', async () => {
    const mapping = new Map([['who', 'deviceId'], ['when', 'ts'], ['t1', 'attributes.temperature'], ['junk', '-']]);
    expect(await records('csv', 'who,when,t1,junk\na,2026-11-25T12:00:00Z,-18.5,x\n', { mapping })).toEqual([{ deviceId: 'a', ts: NOON, attributes: { temperature: -18.5 } }]);
  });

  it('tells the line of what it cannot read, and goes on', async () => {
    const text = 'device,ts,lat,lon\na,never,1,2\n"b","2026-11-25T12:00:00Z",north,2\nc,2026-11-25T12:00:00Z,1,2\n';
    expect(await records('csv', text)).toMatchObject([[2, 'ts', 'expected a time, got "never"'], [3, 'latitude', expect.stringContaining('north')], { deviceId: 'c' }]);
  });

  it('keeps a number that no double can hold, and leaves out what is absent', async () => {
    expect(await records('csv', 'device,ts,iccid,a,b,c\nx,1763635200,89370012345678901234,,NULL,\\N\n')).toEqual([
      { deviceId: 'x', ts: 1763635200000, attributes: { iccid: { __bigint: '89370012345678901234' } } },
    ]);
  });

  it('reads the table tc_positions of Traccar', async () => {
    const text = 'id,protocol,deviceid,servertime,devicetime,fixtime,valid,latitude,longitude,altitude,speed,course,address,attributes,accuracy,network,geofenceids\n'
      + '1,teltonika,7,2026-11-25 12:00:01,2026-11-25 12:00:00,2026-11-25 12:00:00,t,54.7,25.3,100,10,90,,"{""ignition"":true,""odometer"":42,""nested"":{""a"":1}}",0,null,[1]\n'
      + '2,teltonika,7,2026-11-25 12:01:01,2026-11-25 12:01:00,2026-11-25 12:00:00,t,54.7,25.3,100,10,90,,"{""ignition"":false}",0,null,\n'
      + '3,teltonika,8,2026-11-25 12:01:01,2026-11-25 12:01:00,2026-11-25 12:01:00,t,1,2,3,4,5,,{},0,,\n';
    expect(await records('csv', text)).toEqual([
      { deviceId: '356307042441013', ts: NOON, latitude: 54.7, longitude: 25.3, altitude: 100, course: 90, speed: 18.52, valid: true, attributes: { ignition: true, odometer: 42, nested: '{"a":1}' } },
      { deviceId: '356307042441013', ts: NOON + 60_000, valid: false, attributes: { ignition: false } },
      [4, 'deviceId', expect.stringContaining('--devices')],
    ]);
  });

  it("reads the export of Traccar's API, whose addresses have commas without quotes", async () => {
    const text = 'id,deviceId,protocol,serverTime,deviceTime,fixTime,valid,latitude,longitude,altitude,speed,course,address,accuracy,batteryLevel,ignition\n'
      + '1,7,gt06,2026-11-25 12:00:01,2026-11-25 12:00:00,2026-11-25 12:00:00,true,54.7,25.3,0.0,1.0,90.0,Gedimino pr. 1, Vilnius, LT,5.0,80,true\n';
    expect(await records('csv', text)).toMatchObject([{
      ts: NOON, speed: 1.852, attributes: { address: 'Gedimino pr. 1, Vilnius, LT', accuracy: 5, batteryLevel: 80, ignition: true },
    }]);
  });
});

describe('NDJSON and JSON', () => {
  it('are records as the API takes and gives them, or with other names', async () => {
    const lines = [{ deviceId: 'a', ts: NOON, receivedAt: NOON, attributes: { x: 1 } }, { imei: 'b', time: '2026-11-25T12:00:00Z', lat: 1, lon: 2, fuel: 3 }];
    const expected = [{ deviceId: 'a', ts: NOON, attributes: { x: 1 } }, { deviceId: 'b', ts: NOON, latitude: 1, longitude: 2, attributes: { fuel: 3 } }];
    expect(await records('ndjson', lines.map((line) => JSON.stringify(line)).join('\n'))).toEqual(expected);
    expect(await records('json', JSON.stringify(lines, null, 2))).toEqual(expected);
    expect(await records('ndjson', '{"a"\n\n[1]\n')).toMatchObject([[1, '', expect.any(String)], [3, '', 'expected an object']]);
  });
});

describe('GPX', () => {
  const text = `<?xml version="1.0"?><gpx version="1.1" xmlns:gpxtpx="x"><metadata><time>2020-01-01T00:00:00Z</time></metadata>
    <trk><name>ü</name><trkseg><trkpt lat="54.7" lon="25.3"><ele>101.5</ele><time>2026-11-25T12:00:00Z</time><sat>9</sat>
    <extensions><gpxtpx:TrackPointExtension><gpxtpx:hr>120</gpxtpx:hr><gpxtpx:speed>10</gpxtpx:speed></gpxtpx:TrackPointExtension></extensions></trkpt>
    <trkpt lat="54.8" lon="25.4"/></trkseg></trk></gpx>`;

  it('has a record for each point with a time, and its extensions', async () => {
    expect(await records('gpx', text, { deviceId: 'bike' })).toEqual([
      { deviceId: 'bike', ts: NOON, latitude: 54.7, longitude: 25.3, valid: true, altitude: 101.5, satellites: 9, speed: 36, attributes: { hr: 120 } },
      [2, 'ts', 'expected a time, got null'],
    ]);
  });

  it('that is broken ends the import and says where', async () => {
    await expect(read('gpx', '<gpx><trk></gpx>')).rejects.toThrow(/not GPX: 1:\d+/);
  });
});

describe('GeoJSON', () => {
  it('has points with their properties, and lines with the times of their points', async () => {
    const collection = { type: 'FeatureCollection', name: 'features', features: [
      { type: 'Feature', properties: { device: 'a', time: '2026-11-25T12:00:00Z', speed: 5, note: '},{"' }, geometry: { type: 'Point', coordinates: [25.3, 54.7, 100] } },
      { type: 'Feature', properties: { device: 'b', coordTimes: [NOON, NOON + 1_000] }, geometry: { type: 'LineString', coordinates: [[1, 2], [3, 4]] } },
      { type: 'Feature', properties: { device: 'c', coordTimes: [[NOON]] }, geometry: { type: 'MultiLineString', coordinates: [[[1, 2]]] } },
      { type: 'Feature', properties: { device: 'd' }, geometry: { type: 'LineString', coordinates: [[1, 2], [3, 4]] } },
      { type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [] } },
    ] };
    const expected = [
      { deviceId: 'a', ts: NOON, speed: 5, longitude: 25.3, latitude: 54.7, altitude: 100, attributes: { note: '},{"' } },
      { deviceId: 'b', ts: NOON, longitude: 1, latitude: 2 }, { deviceId: 'b', ts: NOON + 1_000, longitude: 3, latitude: 4 },
      { deviceId: 'c', ts: NOON, longitude: 1, latitude: 2 },
      [4, 'properties.coordTimes', expect.any(String)], [5, 'geometry.type', expect.stringContaining('Polygon')],
    ];
    expect(await records('geojson', JSON.stringify(collection))).toEqual(expected);
    expect(await records('geojson', JSON.stringify(collection.features, null, 2))).toEqual(expected);
    expect(await records('geojson', JSON.stringify(collection.features[0]))).toEqual(expected.slice(0, 1));
  });

  it('that is cut says so', async () => {
    await expect(read('geojson', '{"features":[{"type":"Feature"')).rejects.toThrow('the file ends in the middle');
  });
});

describe("JSON of Traccar's API", () => {
  it('has knots, and records without a fix where the place is an old one', async () => {
    const position = { id: 1, deviceId: 7, protocol: 'osmand', serverTime: '2026-11-25T12:00:01.000+00:00', deviceTime: '2026-11-25T12:00:00.000+00:00', fixTime: '2026-11-25T12:00:00.000+00:00', outdated: false, valid: true, latitude: 1, longitude: 2, altitude: 3, speed: 10, course: 4, address: null, accuracy: 0, network: null, attributes: { motion: true } };
    const old = { ...position, deviceTime: '2026-11-25T12:05:00.000+00:00', outdated: true };
    expect(await records('traccar-json', JSON.stringify([position, old]))).toEqual([
      { deviceId: '356307042441013', ts: NOON, latitude: 1, longitude: 2, altitude: 3, course: 4, speed: 18.52, valid: true, attributes: { motion: true } },
      { deviceId: '356307042441013', ts: NOON + 300_000, valid: false, attributes: { motion: true } },
    ]);
  });
});

describe('the elements of an array', () => {
  it('are those of JSON.parse, wherever the bytes were cut and whatever they hold', () => {
    const element = fc.oneof(fc.object({ maxDepth: 3 }), fc.constantFrom({ features: [1, { features: [2] }] }, { a: ']},"\\"' }));
    const sizes = fc.integer({ min: 1, max: 20 });
    fc.assert(fc.property(fc.array(element), sizes, fc.boolean(), (elements, size, isRoot) => {
      const text = isRoot ? JSON.stringify(elements, null, 1) : JSON.stringify({ note: 'features":[', other: [{ features: [0] }], features: elements, last: {} });
      const scanner = new ElementScanner(['features'], 1e6);
      const bytes = Buffer.from(text);
      const found: string[] = [];
      for (let at = 0; at < bytes.length; at += size) found.push(...scanner.push(bytes.subarray(at, at + size)));
      expect(found.map((one): unknown => JSON.parse(one))).toEqual(JSON.parse(JSON.stringify(elements)));
      expect([scanner.found, scanner.isComplete]).toEqual([true, true]);
    }));
  });
});

describe('the format of a file', () => {
  it.each([
    ['x.csv', 'a,b', 'csv'], ['x.gpx', '', 'gpx'], ['x.geojson', '', 'geojson'], ['x.jsonl', '', 'ndjson'],
    ['x.json', '[{"id":1,"attributes":{},"deviceId":7,"fixTime":"2026"', 'traccar-json'], ['x.json', '{"type":"FeatureCollection"', 'geojson'],
    ['x.json', ' [{"deviceId":"a"', 'json'], ['x.json', '{"deviceId":"a"}\n{', 'ndjson'], ['x', '<?xml?><gpx', 'gpx'], ['x', 'hello', null],
  ])('%s that begins with %s is %s', (name, head, format) => {
    expect(formatOf(name, head)).toBe(format);
  });
});
