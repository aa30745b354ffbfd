/** Users in the database. Errors: those of PostgreSQL; `UserExistsError` for a name that is taken. */
import type { Pool } from 'pg';
import type { Role } from '../auth/access.ts';
import { hashPassword } from '../auth/local/passwords.ts';
import { errorCode } from '../db/sqlstate.ts';
import type { Grants } from './grants.ts';

export interface UserWish {
  readonly name: string;
  readonly role: Role;
  readonly grants: Grants;
}

export interface UserInfo extends UserWish {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** There is a user of this name, in some spelling of upper and lower case. */
export class UserExistsError extends Error {
  override readonly name = 'UserExistsError';
}

interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly all_devices: boolean;
  readonly devices: string[];
  readonly groups: string[];
  readonly created_at: number;
}

const COLUMNS = 'id::text as id, name, role, all_devices, devices, groups::text[] as groups, created_at';
const UNIQUE_VIOLATION = '23505';

function infoOf({ id, name, role, all_devices: all, devices, groups, created_at: createdAt }: UserRow): UserInfo {
  return { id, name, role, grants: { all, devices, groups }, createdAt };
}

export async function createUser(pool: Pool, { name, role, grants }: UserWish, password: string): Promise<UserInfo> {
  const hash = await hashPassword(password);
  try {
    const { rows } = await pool.query<UserRow>(
      `insert into users (name, password_hash, role, all_devices, devices, groups)
       values ($1, $2, $3, $4, $5, $6) returning ${COLUMNS}`,
      [name, hash, role, grants.all, grants.devices, grants.groups],
    );
    const [row] = rows;
    if (row === undefined) throw new Error('the database gave back no row');
    return infoOf(row);
  } catch (error) {
    if (errorCode(error) === UNIQUE_VIOLATION) throw new UserExistsError(`there is a user ${name} already`, { cause: error });
    throw error;
  }
}

export async function listUsers(pool: Pool): Promise<UserInfo[]> {
  const { rows } = await pool.query<UserRow>(`select ${COLUMNS} from users order by lower(name)`);
  return rows.map(infoOf);
}

/** Sessions that were opened with the former password end. @returns null: there is no such user */
export async function setPassword(pool: Pool, name: string, password: string): Promise<UserInfo | null> {
  const hash = await hashPassword(password);
  const { rows } = await pool.query<UserRow>(
    `update users set password_hash = $2 where lower(name) = lower($1) returning ${COLUMNS}`, [name, hash],
  );
  return rows[0] === undefined ? null : infoOf(rows[0]);
}

/** Its sessions end. @returns null: there is no such user */
export async function removeUser(pool: Pool, name: string): Promise<UserInfo | null> {
  const { rows } = await pool.query<UserRow>(`delete from users where lower(name) = lower($1) returning ${COLUMNS}`, [name]);
  return rows[0] === undefined ? null : infoOf(rows[0]);
}
