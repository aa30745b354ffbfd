/**
 * The devices that a question is about: some by their ids, the members of some groups, or all that the caller sees.
 * What the caller does not see is not among them, and a device or group that is asked for by its id and not seen is a
 * `Problem` `not_found`, as one that does not exist.
 *
 * A group has the members that it has at the moment, whenever their records are from.
 */
import { Problem } from '../http/problem.ts';
import type { Caller } from '../http/caller.ts';
import type { QueryParts } from './parts.ts';
import type { DeviceFilter } from './visible-devices.ts';
import { checkGroups, groupReachOf, unknownGroup } from './visible-groups.ts';

/** As it was asked. Neither: all that the caller sees. */
export interface AskedDevices {
  readonly devices?: readonly string[] | undefined;
  readonly groups?: readonly string[] | undefined;
}

export interface Group {
  readonly id: string;
  readonly name: string;
  /** Those of its members that the caller sees, ids of `devices`. */
  readonly members: readonly string[];
}

export interface ChosenDevices {
  readonly filter: DeviceFilter;
  /** In the order in which they were asked for. */
  readonly groups: readonly Group[];
}

type Parts = Pick<QueryParts, 'database' | 'visible'>;

const MEMBERS = `
  select g.id::text as id, g.name, coalesce(array_agg(m.device_id::text) filter (where m.device_id is not null), '{}') as members
  from groups g
  left join group_devices m on m.group_id = g.id and m.valid_from <= now() and (m.valid_to is null or m.valid_to > now())
  where g.id = any($1::uuid[])
  group by g.id`;

/**
 * What the caller sees, as far as it matters to the question: to tell cached answers apart. Asks the database for
 * nothing that it was not asked for a moment ago.
 * @throws Problem `not_found` for a group of which an authority says that it may not be read, cached or not
 */
export async function seenBy({ visible }: Parts, caller: Caller, asked: AskedDevices): Promise<DeviceFilter> {
  const { visibility } = caller;
  if (asked.groups !== undefined) await checkGroups(caller, asked.groups);
  if (visibility.kind !== 'asked' || asked.devices === undefined || asked.groups !== undefined) return visible.filter(caller);
  return { kind: 'only', ids: [...await visibility.readable(asked.devices)] };
}

/** Where an authority decides, it was asked before. */
function mayKnow(caller: Caller, { id, members }: Group): boolean {
  const reach = groupReachOf(caller);
  return reach === null || typeof reach === 'function' || members.length > 0 || reach.includes(id);
}

async function groupsOf(
  { database, visible }: Parts,
  caller: Caller,
  groupIds: readonly string[],
  signal: AbortSignal,
): Promise<Group[]> {
  await checkGroups(caller, groupIds);
  const found = await database.ask<Group>({ name: 'group-members', text: MEMBERS, values: [groupIds] }, signal);
  const filter = await visible.filter(caller);
  const seen = filter.kind === 'all' ? null : new Set(filter.ids);
  const byId = new Map(found.map(({ id, name, members }) => {
    const group = { id, name, members: seen === null ? members : members.filter((member) => seen.has(member)) };
    return [id, group] as const;
  }));
  return groupIds.map((id) => {
    const group = byId.get(id.toLowerCase());
    if (group !== undefined && mayKnow(caller, group)) return group;
    throw unknownGroup(id);
  });
}

async function idsOf(
  parts: Parts,
  caller: Caller,
  deviceIds: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const found = await parts.visible.findAll(caller, deviceIds, signal);
  const known = new Set(found.map(({ deviceId }) => deviceId));
  const missing = deviceIds.find((deviceId) => !known.has(deviceId));
  if (missing === undefined) return found.map(({ id }) => id);
  throw new Problem('not_found', `there is no device ${missing}, or none that is granted`);
}

/** @throws Problem */
export async function chooseDevices(
  parts: Parts,
  caller: Caller,
  { devices, groups }: AskedDevices,
  signal: AbortSignal,
): Promise<ChosenDevices> {
  if (devices === undefined && groups === undefined) return { filter: await parts.visible.filter(caller), groups: [] };
  const known = groups === undefined ? [] : await groupsOf(parts, caller, groups, signal);
  const single = devices === undefined ? [] : await idsOf(parts, caller, devices, signal);
  const ids = new Set([...single, ...known.flatMap(({ members }) => members)]);
  return { filter: { kind: 'only', ids: [...ids] }, groups: known };
}

/** The trackers' own identifiers, by the ids of `devices`. */
export async function namesOf(
  { database }: Pick<Parts, 'database'>,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const text = 'select id::text as id, unique_id as "deviceId" from devices where id = any($1::bigint[])';
  const question = { name: 'device-names', text, values: [ids] };
  const rows = await database.ask<{ id: string; deviceId: string }>(question, signal);
  return new Map(rows.map(({ id, deviceId }) => [id, deviceId]));
}
