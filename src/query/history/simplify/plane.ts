/**
 * A line on the map as a plane of metres: equirectangular around a point of it, which is exact to a thousandth over the
 * some kilometres that matter between neighbours. Longitudes may cross the antimeridian.
 */

/** Points of a line in their order; degrees. */
export interface Line {
  readonly latitudes: ArrayLike<number>;
  readonly longitudes: ArrayLike<number>;
}

/** Of the mean sphere. */
const METRES_PER_DEGREE = 111_194.93;

/** The shorter way round, −180 to 180. */
export function longitudeDifference(from: number, to: number): number {
  const difference = to - from;
  if (difference > 180) return difference - 360;
  return difference < -180 ? difference + 360 : difference;
}

/** How many metres a degree of longitude has there. */
export function metresPerLongitude(latitude: number): number {
  return METRES_PER_DEGREE * Math.cos((latitude * Math.PI) / 180);
}

export function metresPerLatitude(): number {
  return METRES_PER_DEGREE;
}

/** Square of the distance in metres from point `index` to the piece of the line from `first` to `last`. */
export function squaredDistance(line: Line, index: number, first: number, last: number): number {
  const latitude = line.latitudes[first] ?? 0;
  const longitude = line.longitudes[first] ?? 0;
  const east = metresPerLongitude(((line.latitudes[last] ?? 0) + latitude) / 2);
  const x = longitudeDifference(longitude, line.longitudes[index] ?? 0) * east;
  const y = ((line.latitudes[index] ?? 0) - latitude) * METRES_PER_DEGREE;
  const dx = longitudeDifference(longitude, line.longitudes[last] ?? 0) * east;
  const dy = ((line.latitudes[last] ?? 0) - latitude) * METRES_PER_DEGREE;
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, (x * dx + y * dy) / length));
  return (x - along * dx) ** 2 + (y - along * dy) ** 2;
}
