/**
 * Simplification to a number of points (Visvalingam and Whyatt, 1993): again and again the point goes that makes the
 * smallest triangle with its neighbours. First and last always remain. O(n log n) whatever the line is, and gives way
 * to other work of the process in between.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { indexesOf } from './douglas-peucker.ts';
import type { Line } from './plane.ts';
import { longitudeDifference, metresPerLatitude, metresPerLongitude } from './plane.ts';
import { PointHeap } from './point-heap.ts';

/** Some milliseconds of work. */
const STEPS_PER_TURN = 20_000;

/** Twice the area of the triangle in square metres. */
function areaOf({ latitudes, longitudes }: Line, a: number, b: number, c: number): number {
  const latitude = latitudes[b] ?? 0;
  const longitude = longitudes[b] ?? 0;
  const east = metresPerLongitude(latitude);
  const north = metresPerLatitude();
  const ax = longitudeDifference(longitude, longitudes[a] ?? 0) * east;
  const ay = ((latitudes[a] ?? 0) - latitude) * north;
  const cx = longitudeDifference(longitude, longitudes[c] ?? 0) * east;
  const cy = ((latitudes[c] ?? 0) - latitude) * north;
  return Math.abs(ax * cy - cx * ay);
}

/** Indexes of the points that remain, ascending. @param count at least 2 */
export async function visvalingam(line: Line, count: number, signal: AbortSignal): Promise<number[]> {
  const total = line.latitudes.length;
  const kept = new Uint8Array(total).fill(1);
  if (total <= Math.max(2, count)) return indexesOf(kept);
  const before = Int32Array.from({ length: total }, (_, index) => index - 1);
  const after = Int32Array.from({ length: total }, (_, index) => index + 1);
  const heap = new PointHeap(total);
  for (let index = 1; index < total - 1; index += 1) heap.add(index, areaOf(line, index - 1, index, index + 1));
  /** A point does not go before one that went already, or the order would depend on what is gone. */
  let area = 0;
  for (let left = total; left > count; left -= 1) {
    const point = heap.take();
    area = Math.max(area, point.area);
    kept[point.index] = 0;
    const [a, b] = [before[point.index] ?? 0, after[point.index] ?? total - 1];
    after[a] = b;
    before[b] = a;
    if (a > 0) heap.change(a, Math.max(area, areaOf(line, before[a] ?? 0, a, b)));
    if (b < total - 1) heap.change(b, Math.max(area, areaOf(line, a, b, after[b] ?? total - 1)));
    if (left % STEPS_PER_TURN !== 0) continue;
    await turn();
    signal.throwIfAborted();
  }
  return indexesOf(kept);
}
