/** API keys in the database. Errors: those of PostgreSQL. */
import type { Pool } from 'pg';
import { createApiKey } from '../auth/local/api-key.ts';
import type { Scope } from '../auth/access.ts';
import type { Grants } from './grants.ts';

export interface KeyWish {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly grants: Grants;
  /** Epoch milliseconds; null: it does not expire. */
  readonly expiresAt: number | null;
}

/** A key as it may be shown. Times are epoch milliseconds. */
export interface KeyInfo extends KeyWish {
  readonly id: string;
  readonly createdAt: number;
  readonly revokedAt: number | null;
}

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly scopes: Scope[];
  readonly all_devices: boolean;
  readonly devices: string[];
  readonly groups: string[];
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
}

const COLUMNS = 'id, name, scopes, all_devices, devices, groups::text[] as groups, created_at, expires_at, revoked_at';

function infoOf(row: KeyRow): KeyInfo {
  const { id, name, scopes, all_devices: all, devices, groups } = row;
  const times = { createdAt: row.created_at, expiresAt: row.expires_at, revokedAt: row.revoked_at };
  return { id, name, scopes, grants: { all, devices, groups }, ...times };
}

function only(rows: readonly KeyRow[]): KeyInfo {
  const [row] = rows;
  if (row === undefined) throw new Error('the database gave back no row');
  return infoOf(row);
}

/** @returns the key itself too: it is known here and now, and never again */
export async function createKey(pool: Pool, wish: KeyWish): Promise<{ readonly key: string; readonly info: KeyInfo }> {
  const { id, key, secretHash } = createApiKey();
  const { name, scopes, grants: { all, devices, groups }, expiresAt } = wish;
  const { rows } = await pool.query<KeyRow>(
    `insert into api_keys (id, name, secret_hash, scopes, all_devices, devices, groups, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8::float8 / 1000)) returning ${COLUMNS}`,
    [id, name, secretHash, scopes, all, devices, groups, expiresAt],
  );
  return { key, info: only(rows) };
}

export async function listKeys(pool: Pool): Promise<KeyInfo[]> {
  const { rows } = await pool.query<KeyRow>(`select ${COLUMNS} from api_keys order by created_at, id`);
  return rows.map(infoOf);
}

/** One that was revoked before stays revoked since then. @returns those of the ids that there are */
export async function revokeKeys(pool: Pool, ids: readonly string[]): Promise<KeyInfo[]> {
  const { rows } = await pool.query<KeyRow>(
    `update api_keys set revoked_at = coalesce(revoked_at, now()) where id = any($1) returning ${COLUMNS}`, [ids],
  );
  return rows.map(infoOf);
}
