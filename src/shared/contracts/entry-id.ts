/** Ids of stream entries: `<milliseconds>-<sequence>`, both unsigned 64 bit, in the order in which entries came in. */

export type EntryId = readonly [milliseconds: bigint, sequence: bigint];

export function parseEntryId(id: string): EntryId {
  const [milliseconds, sequence] = id.split('-');
  return [BigInt(milliseconds ?? '0'), BigInt(sequence ?? '0')];
}

export function earlier(a: EntryId, b: EntryId): EntryId {
  if (a[0] !== b[0]) return a[0] < b[0] ? a : b;
  return a[1] < b[1] ? a : b;
}
