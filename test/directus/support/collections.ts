/**
 * Odograph's tables as collections of Directus: `devices` and `groups` know their memberships as `groups` and
 * `devices`, and a user has a `fleet`, so that policies can speak of them. Nothing of it changes Odograph's tables.
 */
import type { DirectusAdmin } from './admin.ts';

interface Membership {
  readonly field: string;
  readonly related: string;
  /** The alias on the other side. */
  readonly alias: string;
}

const MEMBERSHIPS: readonly Membership[] = [
  { field: 'device_id', related: 'devices', alias: 'groups' },
  { field: 'group_id', related: 'groups', alias: 'devices' },
];

async function trackRelation(admin: DirectusAdmin, { field, related, alias }: Membership): Promise<void> {
  await admin.api.call('POST', `/fields/${related}`, { field: alias, type: 'alias', meta: { special: ['o2m'] } });
  // All of it: Directus 11.16.1 ends with a TypeError when only `meta` comes for a relation that it does not track.
  const whole = { collection: 'group_devices', field, related_collection: related };
  const meta = { many_collection: 'group_devices', many_field: field, one_collection: related, one_field: alias };
  await admin.api.call('PATCH', `/relations/group_devices/${field}`, { ...whole, meta });
}

/** Once for a database that Odograph has migrated. */
export async function trackCollections(admin: DirectusAdmin): Promise<void> {
  const tracked = ['devices', 'groups', 'group_devices'].map((collection) => ({ collection, meta: { hidden: false } }));
  await admin.api.call('PATCH', '/collections', tracked);
  // One after the other: each of them reads the schema anew.
  for (const membership of MEMBERSHIPS) await trackRelation(admin, membership);
  await admin.api.call('POST', '/fields/directus_users', { field: 'fleet', type: 'uuid', schema: { is_nullable: true } });
}
