/**
 * Areas on the map: as parameters of a URL, and as SQL over the last known places (`s`). All in the order of GeoJSON,
 * longitude before latitude; degrees.
 */
import { z } from 'zod';
import type { StatementValues } from '../statement-values.ts';

const NUMBER = /^-?\d{1,15}(?:\.\d{1,15})?$/;
const MAX_CORNERS = 500;
const MAX_RADIUS_M = 20_100_000;

function numbersOf(text: string): number[] {
  return text.split(',').map((part) => (NUMBER.test(part.trim()) ? Number(part) : Number.NaN));
}

function isPlace(longitude: number | undefined, latitude: number | undefined): boolean {
  return longitude !== undefined && latitude !== undefined && Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90;
}

function area(expected: string, isArea: (numbers: readonly number[]) => boolean) {
  return z.string().max(16_384).transform((text, context): readonly number[] => {
    const numbers = numbersOf(text);
    if (isArea(numbers)) return numbers;
    context.addIssue({ code: 'custom', message: `expected ${expected}` });
    return z.NEVER;
  });
}

export const bboxParameter = area('west,south,east,north in degrees, south below north', (numbers) => {
  const [west, south, east, north] = numbers;
  return numbers.length === 4 && isPlace(west, south) && isPlace(east, north) && Number(south) <= Number(north);
}).describe('`west,south,east,north` in degrees. Where west is greater than east, it crosses the antimeridian.');

const CIRCLE_EXPECTED = `longitude,latitude,radius in degrees and metres up to ${MAX_RADIUS_M}`;

export const circleParameter = area(CIRCLE_EXPECTED, (numbers) => {
  const [longitude, latitude, radius = -1] = numbers;
  return numbers.length === 3 && isPlace(longitude, latitude) && radius >= 0 && radius <= MAX_RADIUS_M;
}).describe('`longitude,latitude,radius` in degrees and metres.');

const POLYGON_EXPECTED = `3 to ${MAX_CORNERS} corners as longitude,latitude,longitude,latitude…`;

export const polygonParameter = area(POLYGON_EXPECTED, (numbers) => {
  const corners = numbers.length / 2;
  if (!Number.isInteger(corners) || corners < 3 || corners > MAX_CORNERS) return false;
  return numbers.every((_, index) => index % 2 === 1 || isPlace(numbers[index], numbers[index + 1]));
}).describe('`longitude,latitude,longitude,latitude…` of its corners, in degrees; it may not cross the antimeridian.');

export function isInBox(box: readonly number[], values: StatementValues): string {
  const [west = 0, south = 0, east = 0, north = 0] = box;
  const bind = (degrees: number): string => values.bind(degrees, 'float8');
  const between = `s.latitude between ${bind(south)} and ${bind(north)}`;
  const joint = west <= east ? 'and' : 'or';
  return `${between} and (s.longitude >= ${bind(west)} ${joint} s.longitude <= ${bind(east)})`;
}

/** Of the mean sphere. */
const EARTH_RADIUS_M = 6_371_008.8;

/**
 * Degrees counted from far away: two such differ by 0 or by 1e-13 at least. What devices report may differ by so little
 * that its square is less than a double holds, which PostgreSQL refuses with an error.
 */
const ORIGIN_DEG = 1_000;

/** By the haversine formula. */
export function isInCircle(circle: readonly number[], values: StatementValues): string {
  const [longitude = 0, latitude = 0, radiusM = 0] = circle;
  const y = values.bind(latitude, 'float8');
  const [fromX, fromY] = [longitude, latitude].map((degrees) => values.bind(degrees + ORIGIN_DEG, 'float8'));
  const [dx, dy] = [`(s.longitude + ${ORIGIN_DEG} - ${fromX})`, `(s.latitude + ${ORIGIN_DEG} - ${fromY})`];
  const square = `sind(${dy} / 2) ^ 2 + cosd(s.latitude) * cosd(${y}) * sind(${dx} / 2) ^ 2`;
  return `2 * ${EARTH_RADIUS_M} * asin(sqrt(least(1, ${square}))) <= ${values.bind(radiusM, 'float8')}`;
}

export function isInPolygon(numbers: readonly number[], values: StatementValues): string {
  const corners: string[] = [];
  for (let index = 0; index < numbers.length; index += 2) corners.push(`(${Number(numbers[index]) + ORIGIN_DEG},${Number(numbers[index + 1]) + ORIGIN_DEG})`);
  const place = `point(s.longitude + ${ORIGIN_DEG}, s.latitude + ${ORIGIN_DEG})`;
  return `${values.bind(`(${corners.join(',')})`, 'polygon')} @> ${place}`;
}
