/** The rights of the seed's users, as policies of Directus over the collections of `collections.ts`. */
import type { Filter, Permission } from './admin.ts';

type Right = Pick<Permission, 'collection' | 'action' | 'permissions' | 'fields'>;

function read(collection: string, permissions: Filter | null, fields: readonly string[] = ['*']): Right {
  return { collection, action: 'read', permissions, fields };
}

/**
 * One membership that is of the user's fleet and goes on at this moment; `valid_to` is the first instant after it. Not
 * `_some`: Directus 11.16.1 leaves out a `_some` that holds more than one condition, and with it the whole restriction.
 */
const IN_MY_FLEET_NOW = {
  groups: {
    _and: [
      { group_id: { _eq: '$CURRENT_USER.fleet' } },
      { valid_from: { _lte: '$NOW' } },
      { _or: [{ valid_to: { _null: true } }, { valid_to: { _gt: '$NOW' } }] },
    ],
  },
};

/** A user's status shows that a JWT outlives its user, and the role that it outlives a change of role. */
const READS_ITSELF = read('directus_users', { id: { _eq: '$CURRENT_USER' } }, ['id', 'status', 'role']);

const FLEET = [
  read('devices', IN_MY_FLEET_NOW),
  read('groups', { id: { _eq: '$CURRENT_USER.fleet' } }),
];

/** Trackers that belong to the user's fleet now, and that fleet. */
export const FLEET_RIGHTS = [...FLEET, READS_ITSELF];

/** As `FLEET_RIGHTS`, for a user who may not read its own status and role. */
export const FLEET_RIGHTS_WITHOUT_SELF = FLEET;

/** These trackers and no group. */
export function listedRights(uniqueIds: readonly string[]): readonly Right[] {
  return [read('devices', { unique_id: { _in: uniqueIds } }), READS_ITSELF];
}

/** Every tracker and every group. */
export const FULL_RIGHTS = [read('devices', null), read('groups', null), READS_ITSELF];

/** What a service account needs to see who is active, and to be told when rights change. */
export const SERVICE_RIGHTS = [
  read('directus_users', null, ['id', 'status', 'role']),
  ...['roles', 'policies', 'permissions', 'access'].map((name) => read(`directus_${name}`, null, ['id'])),
];
