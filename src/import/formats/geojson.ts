/**
 * GeoJSON: a FeatureCollection, one feature, or an array of features. A point is a record with its time among its
 * properties; a line is a record for each of its points, whose times are in `coordTimes`, as converters of GPX write
 * them. Properties have the same names as columns of CSV.
 */
import { FieldError, FieldReader, targetsOf } from '../fields.ts';
import type { Fields, ReadOptions, Reader } from '../item.ts';
import { readElements } from './json-elements.ts';

type Place = readonly [longitude: number, latitude: number, altitude?: number];

interface Line {
  readonly places: readonly Place[];
  readonly times: readonly unknown[];
}

const TIME_PROPERTIES = ['coordTimes', 'coordinateProperties', 'times'];

function isPlace(value: unknown): value is Place {
  return Array.isArray(value) && value.length >= 2 && value.slice(0, 2).every((one) => typeof one === 'number');
}

function placesOf(value: unknown): readonly Place[] {
  if (!Array.isArray(value)) throw new FieldError('geometry.coordinates', 'expected positions');
  return value.map((place: unknown) => {
    if (!isPlace(place)) throw new FieldError('geometry.coordinates', 'expected [longitude, latitude]');
    return place;
  });
}

function timesOf(properties: Fields): readonly unknown[] {
  const { coordTimes, coordinateProperties, times } = properties;
  const nested = (coordinateProperties as { times?: unknown } | undefined)?.times;
  const found = coordTimes ?? nested ?? times;
  if (Array.isArray(found)) return found;
  throw new FieldError('properties.coordTimes', 'expected the times of the points of the line');
}

/** One list of places for each line, with its own list of times. */
function linesOf(type: unknown, coordinates: unknown, properties: Fields): readonly Line[] {
  const times = timesOf(properties);
  if (type !== 'MultiLineString') return [{ places: placesOf(coordinates), times }];
  if (!Array.isArray(coordinates)) throw new FieldError('geometry.coordinates', 'expected lines');
  return coordinates.map((line: unknown, index) => {
    return { places: placesOf(line), times: (times[index] ?? []) as readonly unknown[] };
  });
}

function located([longitude, latitude, altitude]: Place): Fields {
  return { longitude, latitude, ...(typeof altitude === 'number' ? { altitude } : {}) };
}

class Features {
  readonly #options: ReadOptions;
  readonly #fields: FieldReader;

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#fields = new FieldReader(options);
  }

  *records({ geometry, properties, id }: Fields): Generator<Fields, void, undefined> {
    const given: Fields = { ...(properties as Fields | null) };
    if (typeof id === 'string' && given['deviceId'] === undefined && this.#options.deviceId === null) given['featureId'] = id;
    const { type, coordinates } = (geometry ?? {}) as { type?: unknown; coordinates?: unknown };
    switch (type) {
      case undefined:
        yield this.#record(given, {});
        return;
      case 'Point':
        if (!isPlace(coordinates)) throw new FieldError('geometry.coordinates', 'expected [longitude, latitude]');
        yield this.#record(given, located(coordinates));
        return;
      case 'LineString':
      case 'MultiPoint':
      case 'MultiLineString':
        for (const line of linesOf(type, coordinates, given)) yield* this.#points(line, given);
        return;
      default:
        throw new FieldError('geometry.type', `expected Point, MultiPoint, LineString or MultiLineString, got ${JSON.stringify(type)}`);
    }
  }

  *#points({ places, times }: Line, properties: Fields): Generator<Fields, void, undefined> {
    const common = Object.fromEntries(Object.entries(properties).filter(([name]) => !TIME_PROPERTIES.includes(name)));
    if (places.length !== times.length) throw new FieldError('properties.coordTimes', `expected ${places.length} times, got ${times.length}`);
    for (const [index, place] of places.entries()) yield this.#record({ ...common, ts: times[index] }, located(place));
  }

  /** The place of the geometry wins over properties of the same name. */
  #record(properties: Fields, place: Fields): Fields {
    const names = Object.keys(properties);
    const record = this.#fields.record(targetsOf(names, this.#options), Object.values(properties));
    return { ...record, ...place };
  }
}

export const geojson: Reader = (bytes, options) => {
  const features = new Features(options);
  return readElements(bytes, ['features'], (feature) => features.records(feature));
};
