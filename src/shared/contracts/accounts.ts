/**
 * API keys and users as they are published in Redis, so that every process knows who calls without the database, and
 * what of it was ended since. One hash tag keeps the keys on one node, so that a new list replaces the old one in a
 * single transaction. Redis holds hashes only: no key and no password can be had from it.
 */
import { z } from 'zod';
import { CodecError } from '../errors.ts';

/** A hash: `key:<id>` or `user:<id>` → JSON. */
export const ACCOUNTS_KEY = 'accounts:{list}:all';
/** A hash: id of a granted group → JSON list of the unique ids of its present members. */
export const GROUP_MEMBERS_KEY = 'accounts:{list}:members';
/** Digest of what is published; absent until it was for the first time. */
export const ACCOUNTS_DIGEST_KEY = 'accounts:{list}:digest';
/** A stream of sessions that were ended before their time. */
export const ENDED_SESSIONS_KEY = 'accounts:{list}:ended';
/** Entries kept; a process looks every second, and is let off by the end of a session in any case. */
export const ENDED_SESSIONS_LENGTH = 10_000;

/** What is granted to an account; everything where `all` is true. */
const grants = { all: z.boolean(), devices: z.array(z.string()), groups: z.array(z.string()) };

const publishedKey = z.object({
  kind: z.literal('key'),
  id: z.string(),
  name: z.string(),
  /** SHA-256 of the key, base64. */
  secretHash: z.base64().length(44),
  scopes: z.array(z.enum(['read', 'write', 'admin'])),
  /** Epoch milliseconds; null: never. */
  expiresAt: z.number().nullable(),
  ...grants,
});

const publishedUser = z.object({
  kind: z.literal('user'),
  id: z.string(),
  name: z.string(),
  passwordHash: z.string(),
  role: z.enum(['viewer', 'editor', 'admin']),
  ...grants,
});

const publishedAccount = z.discriminatedUnion('kind', [publishedKey, publishedUser]);

export type PublishedKey = z.infer<typeof publishedKey>;
export type PublishedUser = z.infer<typeof publishedUser>;
export type PublishedAccount = z.infer<typeof publishedAccount>;

/** One text per account: what sessions, cache keys and logs call it. */
export function subjectOf({ kind, id }: Pick<PublishedAccount, 'kind' | 'id'>): string {
  return `${kind}:${id}`;
}

/** A browser session, in Redis under the hash of its id until it ends. */
const storedSession = z.object({
  /** Of the account that has signed in, or `administrator`. */
  subject: z.string(),
  /** Fingerprint of the secret that it signed in with: another password ends the session. */
  stamp: z.string(),
  /** Epoch milliseconds. */
  expiresAt: z.number(),
});

export type StoredSession = z.infer<typeof storedSession>;

/** @param idHash SHA-256 of the session's id, base64url: the id itself is with the browser alone */
export function sessionKey(idHash: string): string {
  return `session:${idHash}`;
}

function parse<T>(what: string, schema: z.ZodType<T>, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CodecError(what, 'JSON', text);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new CodecError([what, ...(issue?.path ?? [])].join('.'), issue?.message ?? 'something else', undefined);
}

/** @throws CodecError */
export function parseAccount(text: string): PublishedAccount {
  return parse('account', publishedAccount, text);
}

/** @throws CodecError */
export function parseMembers(text: string): readonly string[] {
  return parse('members', z.array(z.string()), text);
}

/** @throws CodecError */
export function parseSession(text: string): StoredSession {
  return parse('session', storedSession, text);
}
