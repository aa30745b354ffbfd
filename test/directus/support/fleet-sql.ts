/** Trackers, memberships and users by the thousand, in one statement each. What Directus caches of them: nothing. */
import { Client } from 'pg';

export async function query<T>(
  postgresUrl: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly T[]> {
  const client = new Client({ connectionString: postgresUrl });
  await client.connect();
  try {
    return (await client.query({ text: sql, values: [...values] })).rows as T[];
  } finally {
    await client.end();
  }
}

/** `count` identifiers that look like IMEIs, from number `first` on. */
export function uniqueIds(count: number, first = 0): readonly string[] {
  return Array.from({ length: count }, (_, index) => String(350_000_000_000_000 + first + index));
}

export async function insertDevices(postgresUrl: string, ids: readonly string[]): Promise<void> {
  await query(postgresUrl, 'insert into devices (unique_id) select unnest($1::text[])', [ids]);
}

/** @param names by id */
export async function insertGroups(postgresUrl: string, names: Readonly<Record<string, string>>): Promise<void> {
  const sql = 'insert into groups (id, name) select * from unnest($1::uuid[], $2::text[])';
  await query(postgresUrl, sql, [Object.keys(names), Object.values(names)]);
}

/** Hours from now; negative: ago. */
export interface Period {
  readonly fromHours: number;
  /** Absent: it goes on. */
  readonly toHours?: number;
}

export async function addToGroup(
  postgresUrl: string,
  groupId: string,
  ids: readonly string[],
  period: Period = { fromHours: -24 },
): Promise<void> {
  const sql = `insert into group_devices (group_id, device_id, valid_from, valid_to)
    select $1, id, now() + make_interval(hours => $3::int), now() + make_interval(hours => $4::int)
    from devices where unique_id = any ($2::text[])`;
  await query(postgresUrl, sql, [groupId, ids, period.fromHours, period.toHours ?? null]);
}

export interface TokenUser {
  readonly id: string;
  readonly token: string;
}

/**
 * `count` active users with a static token each, and no password; `role` and `fleet` as given. Good at once: Directus
 * looks for a static token in the table.
 */
export async function insertUsers(
  postgresUrl: string,
  count: number,
  { role, fleet }: { readonly role: string; readonly fleet: string },
): Promise<readonly TokenUser[]> {
  const sql = `insert into directus.directus_users (id, email, status, role, fleet, token, provider)
    select id, id || '@example.com', 'active', $2, $3, 'static-' || id, 'default'
    from (select gen_random_uuid() as id from generate_series(1, $1)) as made returning id, token`;
  return await query<TokenUser>(postgresUrl, sql, [count, role, fleet]);
}
