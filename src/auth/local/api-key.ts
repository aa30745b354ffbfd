/** The form of an API key: `odo_<id>_<secret>`, the id for people and logs, the secret 256 random bits. */
import { hash, randomBytes, randomInt } from 'node:crypto';

const FORM = /^odo_([a-z0-9]{12})_[A-Za-z0-9_-]{43}$/;
const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const ID_LENGTH = 12;
const SECRET_BYTES = 32;

export interface NewApiKey {
  readonly id: string;
  /** The whole key, as it is presented. */
  readonly key: string;
  readonly secretHash: Buffer;
}

/** What is kept of a secret that nobody can guess: a slow hash would add nothing. */
export function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

export function createApiKey(): NewApiKey {
  const id = Array.from({ length: ID_LENGTH }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('');
  const key = `odo_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { id, key, secretHash: digest(key) };
}

/** undefined: this is no API key. */
export function apiKeyId(text: string): string | undefined {
  return FORM.exec(text)?.[1];
}
