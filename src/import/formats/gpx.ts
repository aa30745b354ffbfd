/**
 * GPX 1.0 and 1.1: a record for each point that has a time, of tracks, routes and waypoints. `ele` metres, `course`
 * degrees, `speed` metres a second; what is in `extensions` is a measurement under its own name.
 */
import { StringDecoder } from 'node:string_decoder';
import type { SaxesTagPlain } from 'saxes';
import { SaxesParser } from 'saxes';
import { FieldError, FieldReader, rounded, valueOf } from '../fields.ts';
import type { Fields, Item, ReadOptions, Reader } from '../item.ts';
import { unreadable } from '../item.ts';

const POINTS = new Set(['trkpt', 'rtept', 'wpt']);
const METRES_PER_SECOND = 3.6;
const MAX_TEXT = 64 * 1024;

/** Elements of a point → fields. */
const FIELDS: Readonly<Record<string, string>> = {
  time: 'ts', ele: 'altitude', course: 'course', speed: 'speed', sat: 'satellites', hdop: 'hdop',
};

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function numberOf(field: string, text: string): number {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) throw new FieldError(field, `expected a number, got ${JSON.stringify(text)}`);
  return value;
}

interface Point {
  readonly place: Readonly<Record<string, string>>;
  readonly values: Map<string, string>;
  readonly extensions: Map<string, string>;
}

class Points {
  readonly #fields: FieldReader;
  readonly #parser = new SaxesParser({ xmlns: false });
  #items: Item[] = [];
  #at = 0;
  #point: Point | null = null;
  #path: string[] = [];
  #text = '';
  /** The element just begun has had no child. */
  #isLeaf = false;

  constructor(options: ReadOptions) {
    this.#fields = new FieldReader(options);
    this.#parser.on('opentag', (tag) => { this.#open(tag); });
    this.#parser.on('text', (text) => { this.#take(text); });
    this.#parser.on('cdata', (text) => { this.#take(text); });
    this.#parser.on('closetag', ({ name }) => { this.#close(localName(name)); });
    this.#parser.on('error', (error) => { throw new Error(`not GPX: ${error.message}`, { cause: error }); });
  }

  write(text: string): readonly Item[] {
    this.#parser.write(text);
    const items = this.#items;
    this.#items = [];
    return items;
  }

  close(): void {
    this.#parser.close();
  }

  #open({ name, attributes }: SaxesTagPlain): void {
    const local = localName(name);
    this.#text = '';
    this.#isLeaf = true;
    if (this.#point !== null) this.#path.push(local);
    else if (POINTS.has(local)) this.#point = { place: attributes, values: new Map(), extensions: new Map() };
  }

  #take(text: string): void {
    if (this.#point !== null && this.#text.length < MAX_TEXT) this.#text += text;
  }

  #close(local: string): void {
    const point = this.#point;
    if (point === null) return;
    if (this.#path.length === 0) {
      this.#items.push(this.#itemOf(point));
      this.#point = null;
      return;
    }
    const text = this.#text.trim();
    const inExtensions = this.#path[0] === 'extensions';
    if (this.#isLeaf && text !== '') (inExtensions ? point.extensions : point.values).set(local, text);
    this.#path.pop();
    this.#isLeaf = false;
    this.#text = '';
  }

  #itemOf(point: Point): Item {
    this.#at += 1;
    try {
      return { kind: 'record', at: this.#at, record: this.#recordOf(point) };
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      const text = JSON.stringify({ ...point.place, ...Object.fromEntries(point.values) });
      return unreadable(this.#at, text, error.field, error.message);
    }
  }

  #recordOf({ place, values, extensions }: Point): Fields {
    const record: Fields = {
      latitude: numberOf('latitude', place['lat'] ?? ''), longitude: numberOf('longitude', place['lon'] ?? ''), valid: true,
    };
    const attributes: Fields = {};
    for (const [name, text] of [...extensions, ...values]) {
      const field = FIELDS[name];
      if (field === undefined || (field === 'ts' && extensions.get(name) === text)) attributes[name] = valueOf(text);
      else if (field === 'ts') record['ts'] = text;
      else record[field] = field === 'speed' ? rounded(numberOf(field, text) * METRES_PER_SECOND) : numberOf(field, text);
    }
    return this.#fields.finish(record, attributes);
  }
}

export const gpx: Reader = async function* read(bytes, options) {
  const points = new Points(options);
  const decoder = new StringDecoder('utf8');
  for await (const chunk of bytes) yield points.write(decoder.write(chunk));
  yield points.write(decoder.end());
  points.close();
};
