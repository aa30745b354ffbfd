/**
 * How far a feed has come: the id of the last entry of each partition, which together say exactly what a viewer has
 * been shown. As text it is the ids with commas between, in the order of the partitions.
 */
import { earlier, parseEntryId } from '../../shared/contracts/entry-id.ts';

export type Cursor = readonly string[];

const ENTRY_ID = /^\d{1,20}-\d{1,20}$/;

/** Whether entry `a` came in after entry `b` of the same partition. */
export function isAfter(a: string, b: string): boolean {
  if (a === b) return false;
  const [idA, idB] = [parseEntryId(a), parseEntryId(b)];
  return earlier(idA, idB) === idB;
}

export function formatCursor(cursor: Cursor): string {
  return cursor.join(',');
}

/** undefined: not a cursor of a feed with so many partitions. */
export function parseCursor(text: string, partitions: number): Cursor | undefined {
  const ids = text.split(',');
  return ids.length === partitions && ids.every((id) => ENTRY_ID.test(id)) ? ids : undefined;
}
