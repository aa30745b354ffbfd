/** Collects garbage at once, and finds what only a collection of the whole heap takes away. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Of the whole heap, unless told otherwise. */
export const collectGarbage = runInNewContext('gc') as (options?: { readonly type: 'minor' | 'major' }) => void;

/** Bytes of the heap that are there after young collections and gone after one of the whole heap. */
export async function keptByYoungCollections(work: () => Promise<void>): Promise<number> {
  collectGarbage();
  await work();
  // What survives two of them is old.
  for (let n = 0; n < 2; n += 1) collectGarbage({ type: 'minor' });
  const { heapUsed } = process.memoryUsage();
  collectGarbage();
  return heapUsed - process.memoryUsage().heapUsed;
}
