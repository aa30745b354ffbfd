/**
 * Passwords: scrypt with a salt of its own for each. A guess costs 32 MiB and some 80 ms of one core, so only a few are
 * worked on at once and a few more wait; beyond that the caller is told to come again.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { BulkheadRejectedError, bulkhead } from 'cockatiel';

interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

const COST: Cost = { N: 32_768, r: 8, p: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const FORM = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/;
/** Of a hash that is taken from the database: more would be an attack on this process. */
const MAX_MEMORY = 128 * 1024 * 1024;

const AT_ONCE = 2;
const WAITING = 32;

const turns = bulkhead(AT_ONCE, WAITING);
const derive = promisify<string, Buffer, number, Cost & { maxmem: number }, Buffer>(scrypt);

/** Too many passwords are being checked already. */
export class PasswordsBusyError extends Error {
  override readonly name = 'PasswordsBusyError';
}

async function hashOf(password: string, salt: Buffer, length: number, cost: Cost): Promise<Buffer> {
  try {
    // One text, however it was typed.
    return await turns.execute(() => derive(password.normalize('NFKC'), salt, length, { ...cost, maxmem: MAX_MEMORY }));
  } catch (error) {
    if (error instanceof BulkheadRejectedError) throw new PasswordsBusyError('too many passwords are being checked');
    throw error;
  }
}

function written({ N, r, p }: Cost, salt: Buffer, hash: Buffer): string {
  return ['scrypt', N, r, p, salt.toString('base64'), hash.toString('base64')].join('$');
}

/** As it is kept. @throws PasswordsBusyError */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  return written(COST, salt, await hashOf(password, salt, HASH_BYTES, COST));
}

/** A hash that no password has: checking against it takes as long as against another. */
export const NOBODYS_HASH = written(COST, Buffer.alloc(SALT_BYTES), Buffer.alloc(HASH_BYTES));

/** @throws PasswordsBusyError */
export async function isPassword(password: string, kept: string): Promise<boolean> {
  const [, N, r, p, salt = '', hash = ''] = FORM.exec(kept) ?? [];
  if (N === undefined) return false;
  const wanted = Buffer.from(hash, 'base64');
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  const given = await hashOf(password, Buffer.from(salt, 'base64'), wanted.length, cost);
  return timingSafeEqual(given, wanted);
}
