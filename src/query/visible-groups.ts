/**
 * Which groups a caller sees. All, those that are granted, or those that an authority says when it is asked: the same
 * decisions as those about the live server's topics of groups. Deny by default: what cannot be asked is a `Problem`.
 */
import type { AskedGroups, Caller } from '../http/caller.ts';
import { Problem } from '../http/problem.ts';
import type { Answering } from './database.ts';

/** null: all groups. A list of ids, which may not exist any more. Or somebody to ask about each. */
export type GroupReach = null | readonly string[] | AskedGroups;

/** Groups that an authority is asked about at a time. */
const CHUNK = 1_000;
/** Times that it is asked for one page: who may read few of very many groups gets a short page, and asks on. */
const CHUNKS_PER_PAGE = 5;
/** Before every other id. */
const FIRST = '00000000-0000-0000-0000-000000000000';

const AFTER = `select id::text as id from groups where id > $1::uuid order by id limit ${CHUNK}`;

export function groupReachOf({ visibility }: Caller): GroupReach {
  switch (visibility.kind) {
    case 'all':
      return visibility.readableGroups ?? null;
    case 'granted':
      return visibility.groups;
    case 'asked':
      return visibility.readableGroups;
  }
}

/** Groups that may be read, from one place on. */
export interface ReadableGroups {
  /** In their order. */
  readonly ids: readonly string[];
  /** Of all groups up to this one `ids` has those that may be read; null: there are no further groups. */
  readonly upTo: string | null;
}

/**
 * Groups that an authority says may be read, from behind one on: at most so many. They are fewer, or none, where
 * it refuses thousands in a row: `upTo` says where to go on.
 * @throws Problem
 */
export async function readableAfter(
  database: Answering,
  readable: AskedGroups,
  { after, size }: { readonly after: string | null; readonly size: number },
  signal: AbortSignal,
): Promise<ReadableGroups> {
  const found: string[] = [];
  let upTo = after ?? FIRST;
  for (let asked = 0; asked < CHUNKS_PER_PAGE && found.length < size; asked += 1) {
    const rows = await database.ask<{ id: string }>({ name: 'groups-after', text: AFTER, values: [upTo] }, signal);
    const ids = rows.map(({ id }) => id);
    const allowed = ids.length === 0 ? new Set<string>() : await readable(ids);
    found.push(...ids.filter((id) => allowed.has(id)));
    if (ids.length < CHUNK && found.length <= size) return { ids: found, upTo: null };
    upTo = ids.at(-1) ?? upTo;
  }
  return found.length < size ? { ids: found, upTo } : { ids: found.slice(0, size), upTo: found[size - 1] ?? upTo };
}

export function unknownGroup(id: string): Problem {
  return new Problem('not_found', `there is no group ${id}, or none that is granted`);
}

/**
 * Where an authority decides on groups, it has to allow each of these.
 * @throws Problem `not_found` for one that it does not
 */
export async function checkGroups(caller: Caller, groupIds: readonly string[]): Promise<void> {
  const reach = groupReachOf(caller);
  if (typeof reach !== 'function') return;
  const ids = groupIds.map((id) => id.toLowerCase());
  const allowed = await reach(ids);
  const missing = groupIds.find((_, at) => !allowed.has(ids[at] ?? ''));
  if (missing !== undefined) throw unknownGroup(missing);
}
