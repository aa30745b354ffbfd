/** Distances and directions on the sphere, for the tens of kilometres that a road is long. */

const EARTH_RADIUS_METRES = 6_371_008.8;
const RADIANS = Math.PI / 180;

/** Metres of one degree of latitude. */
export const METRES_PER_DEGREE = EARTH_RADIUS_METRES * RADIANS;

export interface Point {
  /** WGS84 degrees. */
  readonly latitude: number;
  readonly longitude: number;
}

/** Great-circle distance in metres (haversine). */
export function distanceMetres(from: Point, to: Point): number {
  const halfLatitude = Math.sin(((to.latitude - from.latitude) * RADIANS) / 2);
  const halfLongitude = Math.sin(((to.longitude - from.longitude) * RADIANS) / 2);
  const chord = halfLatitude ** 2
    + Math.cos(from.latitude * RADIANS) * Math.cos(to.latitude * RADIANS) * halfLongitude ** 2;
  return 2 * EARTH_RADIUS_METRES * Math.asin(Math.sqrt(chord));
}

/** The course from one point to the other, degrees clockwise from north in [0, 360). */
export function courseDegrees(from: Point, to: Point): number {
  const north = to.latitude - from.latitude;
  const east = (to.longitude - from.longitude) * Math.cos(((from.latitude + to.latitude) / 2) * RADIANS);
  return (Math.atan2(east, north) / RADIANS + 360) % 360;
}

/** The point on the straight line between two others (`along` 0…1), moved `rightMetres` to the right of it. */
export function beside(from: Point, to: Point, along: number, rightMetres: number): Point {
  const latitude = from.latitude + (to.latitude - from.latitude) * along;
  const longitude = from.longitude + (to.longitude - from.longitude) * along;
  const course = courseDegrees(from, to) * RADIANS;
  const shrink = Math.cos(latitude * RADIANS);
  return {
    latitude: latitude - (Math.sin(course) * rightMetres) / METRES_PER_DEGREE,
    longitude: longitude + (Math.cos(course) * rightMetres) / (METRES_PER_DEGREE * shrink),
  };
}
