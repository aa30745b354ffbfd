/** What an account reaches, as it is given on a command line and kept in the database. */
import type { OptionReader } from '../shared/option-reader.ts';

export interface Grants {
  readonly all: boolean;
  /** Unique ids. */
  readonly devices: readonly string[];
  /** Ids of groups, UUIDs. */
  readonly groups: readonly string[];
}

export const GRANT_OPTIONS: readonly (readonly [flags: string, help: string])[] = [
  ['--all', 'reaches every device'],
  ['--device <ids>', 'reaches these devices, by their unique ids'],
  ['--group <ids>', 'reaches the members of these groups, by their ids'],
];

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Deny by default: nothing is granted that was not named. @param isAdmin whoever administers reaches everything */
export function readGrants(reader: OptionReader, isAdmin: boolean): Grants {
  const devices = reader.list('device');
  const groups = reader.list('group');
  const isNamed = devices.length + groups.length > 0;
  for (const group of groups) if (!UUID.test(group)) reader.problem('group', 'ids of groups, which are UUIDs', group);
  for (const device of devices) if (device.length > 128) reader.problem('device', 'unique ids of at most 128 characters', device);
  if (reader.flag('all') && isNamed) reader.problems.push('--all: expected no --device and no --group beside it');
  if (isAdmin && isNamed) reader.problems.push('admin: expected no --device and no --group, since it reaches everything');
  if (!isAdmin && !isNamed && !reader.flag('all')) {
    reader.problems.push('what it reaches: expected --all, --device or --group, got none of them');
  }
  return { all: isAdmin || reader.flag('all'), devices, groups: groups.map((group) => group.toLowerCase()) };
}

/** For people, in a line. */
export function grantsText({ all, devices, groups }: Grants): string {
  if (all) return 'all devices';
  const parts = [...devices.map((id) => `device ${id}`), ...groups.map((id) => `group ${id}`)];
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}
