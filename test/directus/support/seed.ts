/**
 * A fleet in Odograph's tables, and users of Directus with every kind of right to it. The trackers of `north` are those
 * that its users may see; each of the others has a reason why not.
 */
import { randomUUID } from 'node:crypto';
import type { Access, DirectusAdmin, Role } from './admin.ts';
import { trackCollections } from './collections.ts';
import { addToGroup, insertDevices, insertGroups, uniqueIds } from './fleet-sql.ts';
import { FLEET_RIGHTS, FLEET_RIGHTS_WITHOUT_SELF, FULL_RIGHTS, listedRights, SERVICE_RIGHTS } from './policies.ts';

export interface SeededUser {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  /** A static token. */
  readonly token: string;
  readonly role: string | null;
}

export interface SeededFleet {
  /** Ids of the groups. */
  readonly groups: Readonly<Record<'north' | 'south', string>>;
  /** `unique_id`s. */
  readonly devices: {
    readonly north: readonly string[];
    readonly south: readonly string[];
    /** Left north for south an hour ago. */
    readonly moved: string;
    /** Comes to north in an hour. */
    readonly future: string;
    /** In no group. */
    readonly single: string;
    /** What the user `listed` may see: one of each group, and the one of none. */
    readonly listed: readonly string[];
    readonly all: readonly string[];
  };
  readonly users: Readonly<Record<UserName, SeededUser>>;
  readonly policies: Readonly<Record<PolicyName, string>>;
  readonly roles: Readonly<Record<RoleName, string>>;
  /** Attaches the policy `listed` to the user `listed`. */
  readonly listedAccess: string;
}

/**
 * `north` and `south` see their fleet; `quiet` sees north, and may not read its own status; `listed` has no role, and a
 * policy of its own with a list of trackers; `full` sees everything; `nothing` may do nothing; `service` reads who is
 * active and is told when rights change.
 */
export type UserName = 'north' | 'south' | 'quiet' | 'listed' | 'full' | 'nothing' | 'service';

const POLICIES = ['fleet', 'quiet', 'listed', 'full', 'service'] as const;
type PolicyName = (typeof POLICIES)[number];
const ROLES = ['fleet', 'quiet', 'full', 'service', 'nothing'] as const;
type RoleName = (typeof ROLES)[number];

const PASSWORD = 'password-1';

function seedDevices(perGroup: number): SeededFleet['devices'] {
  const all = uniqueIds(2 * perGroup + 3);
  const north = all.slice(0, perGroup);
  const south = all.slice(perGroup, 2 * perGroup);
  const [moved, future, single] = all.slice(-3) as [string, string, string];
  const listed = [north[0] ?? single, south[0] ?? single, single];
  return { north, south, moved, future, single, listed, all };
}

async function seedTables(postgresUrl: string, devices: SeededFleet['devices']): Promise<SeededFleet['groups']> {
  await insertDevices(postgresUrl, devices.all);
  const { north, south } = keys(['north', 'south']);
  await insertGroups(postgresUrl, { [north]: 'North', [south]: 'South' });
  await addToGroup(postgresUrl, north, devices.north);
  await addToGroup(postgresUrl, south, devices.south);
  await addToGroup(postgresUrl, north, [devices.moved], { fromHours: -24, toHours: -1 });
  await addToGroup(postgresUrl, south, [devices.moved], { fromHours: -1 });
  await addToGroup(postgresUrl, north, [devices.future], { fromHours: 1 });
  return { north, south };
}

/** A key for each name. */
function keys<Name extends string>(names: readonly Name[]): Record<Name, string> {
  return Object.fromEntries(names.map((name) => [name, randomUUID()])) as Record<Name, string>;
}

async function seedPolicies(admin: DirectusAdmin, listed: readonly string[]): Promise<SeededFleet['policies']> {
  const rights = {
    fleet: FLEET_RIGHTS,
    quiet: FLEET_RIGHTS_WITHOUT_SELF,
    listed: listedRights(listed),
    full: FULL_RIGHTS,
    service: SERVICE_RIGHTS,
  };
  const policies = keys(POLICIES);
  await admin.policies.createAll(POLICIES.map((name) => ({ id: policies[name], name, permissions: rights[name] })));
  return policies;
}

async function seedRoles(admin: DirectusAdmin, policies: SeededFleet['policies']): Promise<SeededFleet['roles']> {
  const roles = keys(ROLES);
  const policiesOf = (name: RoleName): Role['policies'] => (name === 'nothing' ? [] : [{ policy: policies[name] }]);
  await admin.roles.createAll(ROLES.map((name) => ({ id: roles[name], name, policies: policiesOf(name) })));
  return roles;
}

function seededUser(name: UserName, role: string | null): SeededUser {
  const id = randomUUID();
  return { id, email: `${name}@example.com`, password: PASSWORD, token: `static-${name}-${id}`, role };
}

async function seedUsers(
  admin: DirectusAdmin,
  groups: SeededFleet['groups'],
  roles: SeededFleet['roles'],
): Promise<SeededFleet['users']> {
  const users = {
    north: seededUser('north', roles.fleet),
    south: seededUser('south', roles.fleet),
    quiet: seededUser('quiet', roles.quiet),
    listed: seededUser('listed', null),
    full: seededUser('full', roles.full),
    nothing: seededUser('nothing', roles.nothing),
    service: seededUser('service', roles.service),
  };
  const fleets: Partial<Record<string, string>> = { ...groups, quiet: groups.north };
  await admin.users.createAll(Object.entries(users).map(([name, user]) => ({ ...user, fleet: fleets[name] ?? null })));
  return users;
}

/** Once for a database that Odograph has migrated and that has no trackers. */
export async function seedFleet(
  admin: DirectusAdmin,
  postgresUrl: string,
  { perGroup = 5 }: { readonly perGroup?: number } = {},
): Promise<SeededFleet> {
  const devices = seedDevices(perGroup);
  const groups = await seedTables(postgresUrl, devices);
  await trackCollections(admin);
  const policies = await seedPolicies(admin, devices.listed);
  const roles = await seedRoles(admin, policies);
  const users = await seedUsers(admin, groups, roles);
  const access: Partial<Access> = { policy: policies.listed, user: users.listed.id };
  return { groups, devices, policies, roles, users, listedAccess: await admin.access.create(access) };
}
