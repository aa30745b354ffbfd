/**
 * Publishes keys and users to Redis, for every process to answer from: replaced in one transaction, and only when they
 * have changed. Whoever publishes holds a lock in the database meanwhile, so that what was read earlier is never
 * published later. Errors: those of PostgreSQL and Redis; what was published stays until the next attempt.
 */
import type { Pool, PoolClient } from 'pg';
import type { PublishedAccount } from '../shared/contracts/accounts.ts';
import { ACCOUNTS_DIGEST_KEY, ACCOUNTS_KEY, GROUP_MEMBERS_KEY, subjectOf } from '../shared/contracts/accounts.ts';
import type { Redis } from '../shared/redis.ts';

/** Channels on which the database announces what may change what is published. */
export const ACCOUNT_CHANGES = ['odograph_accounts', 'odograph_groups'] as const;

/** An arbitrary number that nothing else of Odograph locks. */
const PUBLISH_LOCK = 7_310_020_008;
const HSET_CHUNK = 1_000;

const GOOD_KEYS = 'from api_keys where revoked_at is null and (expires_at is null or expires_at > now())';

/** Present members of those groups that somebody is granted. */
const MEMBERS = `
  from group_devices m join devices d on d.id = m.device_id
  where m.valid_from <= now() and (m.valid_to is null or m.valid_to > now())
    and m.group_id in (select unnest(groups) ${GOOD_KEYS} union select unnest(groups) from users)`;

/** One row for any number of accounts, and no sorting: most of the time they are what they were. */
const DIGEST = `
  select (select count(*) || '/' || coalesce(sum(hashtextextended(k::text, 0)), 0) from (select * ${GOOD_KEYS}) k)
    || ' ' || (select count(*) || '/' || coalesce(sum(hashtextextended(u::text, 0)), 0) from users u)
    || ' ' || (select count(*) || '/' || coalesce(sum(hashtextextended(m.group_id || ' ' || d.unique_id, 0)), 0) ${MEMBERS})
    as digest`;

const KEYS = `
  select id, name, encode(secret_hash, 'base64') as secret_hash, scopes, all_devices, devices,
    groups::text[] as groups, expires_at ${GOOD_KEYS}`;
const USERS = 'select id::text as id, name, password_hash, role, all_devices, devices, groups::text[] as groups from users';

interface GrantColumns {
  readonly id: string;
  readonly name: string;
  readonly all_devices: boolean;
  readonly devices: string[];
  readonly groups: string[];
}

interface KeyRow extends GrantColumns {
  readonly secret_hash: string;
  readonly scopes: ('read' | 'write' | 'admin')[];
  readonly expires_at: number | null;
}

interface UserRow extends GrantColumns {
  readonly password_hash: string;
  readonly role: 'viewer' | 'editor' | 'admin';
}

function grants({ id, name, all_devices: all, devices, groups }: GrantColumns) {
  return { id, name, all, devices, groups };
}

async function readAccounts(client: PoolClient): Promise<PublishedAccount[]> {
  const keys = await client.query<KeyRow>(KEYS);
  const users = await client.query<UserRow>(USERS);
  return [
    ...keys.rows.map((row) => ({
      kind: 'key' as const, ...grants(row), secretHash: row.secret_hash, scopes: row.scopes, expiresAt: row.expires_at,
    })),
    ...users.rows.map((row) => ({
      kind: 'user' as const, ...grants(row), passwordHash: row.password_hash, role: row.role,
    })),
  ];
}

async function readMembers(client: PoolClient): Promise<Map<string, string[]>> {
  const { rows } = await client.query<{ group_id: string; unique_id: string }>(
    `select m.group_id::text as group_id, d.unique_id ${MEMBERS} order by d.unique_id`,
  );
  const members = new Map<string, string[]>();
  for (const { group_id: group, unique_id: device } of rows) {
    const known = members.get(group);
    if (known === undefined) members.set(group, [device]);
    else known.push(device);
  }
  return members;
}

type Hashes = Readonly<Record<string, readonly string[][]>>;

async function replace(redis: Redis, hashes: Hashes, digest: string): Promise<void> {
  const transaction = redis.multi().del(...Object.keys(hashes));
  for (const [key, fields] of Object.entries(hashes)) {
    for (let start = 0; start < fields.length; start += HSET_CHUNK) {
      transaction.hset(key, ...fields.slice(start, start + HSET_CHUNK).flat());
    }
  }
  const results = await transaction.set(ACCOUNTS_DIGEST_KEY, digest).exec();
  for (const [error] of results ?? []) if (error !== null) throw error;
}

async function publish(client: PoolClient, redis: Redis): Promise<boolean> {
  await client.query('select pg_advisory_xact_lock($1)', [PUBLISH_LOCK]);
  // Taken before the rows: a change in between makes it differ the next time.
  const { rows } = await client.query<{ digest: string }>(DIGEST);
  const digest = rows[0]?.digest ?? '';
  if ((await redis.get(ACCOUNTS_DIGEST_KEY)) === digest) return false;
  const accounts = (await readAccounts(client)).map((account) => [subjectOf(account), JSON.stringify(account)]);
  const members = [...(await readMembers(client))].map(([group, devices]) => [group, JSON.stringify(devices)]);
  await replace(redis, { [ACCOUNTS_KEY]: accounts, [GROUP_MEMBERS_KEY]: members }, digest);
  return true;
}

/** @returns whether something had changed */
export async function publishAccounts(pool: Pool, redis: Redis): Promise<boolean> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const hasChanged = await publish(client, redis);
    await client.query('commit');
    client.release();
    return hasChanged;
  } catch (error) {
    // Whatever state the connection is in, it is used no more; the lock goes with it.
    client.release(true);
    throw error;
  }
}
