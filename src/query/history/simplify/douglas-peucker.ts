/**
 * Simplification by tolerance (Douglas and Peucker, 1973): every point that is left out is within the tolerance of the
 * line that remains. First and last always remain. Without recursion; quadratic for lines made to hurt it, so callers
 * give it some thousand points at a time.
 */
import type { Line } from './plane.ts';
import { squaredDistance } from './plane.ts';

/**
 * Indexes of the points that remain, ascending.
 * @param toleranceM metres
 */
export function douglasPeucker(line: Line, toleranceM: number): number[] {
  const count = line.latitudes.length;
  if (count <= 2) return Array.from({ length: count }, (_, index) => index);
  const limit = toleranceM ** 2;
  const kept = new Uint8Array(count);
  kept[0] = 1;
  kept[count - 1] = 1;
  const open: [number, number][] = [[0, count - 1]];
  for (let piece = open.pop(); piece !== undefined; piece = open.pop()) {
    const [first, last] = piece;
    let farthest = first;
    let distance = limit;
    for (let index = first + 1; index < last; index += 1) {
      const here = squaredDistance(line, index, first, last);
      if (here <= distance) continue;
      farthest = index;
      distance = here;
    }
    if (farthest === first) continue;
    kept[farthest] = 1;
    open.push([first, farthest], [farthest, last]);
  }
  return indexesOf(kept);
}

/** Where there is a 1. */
export function indexesOf(kept: Uint8Array): number[] {
  const indexes: number[] = [];
  for (let index = 0; index < kept.length; index += 1) if (kept[index] === 1) indexes.push(index);
  return indexes;
}
