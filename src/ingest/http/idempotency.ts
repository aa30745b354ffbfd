/**
 * `Idempotency-Key`: a request that is sent again with the same key and the same body within a day gets the answer of
 * the first, and nothing is appended a second time. Keys belong to their caller. They are kept in Redis, so that any
 * process can answer; their names are digests, some 200 bytes each with a short answer.
 *
 * Errors: what Redis says is thrown by `begin`, before anything was appended. An answer that could not be kept leaves
 * the key in use until the lock expires; then the same request is a new one, which changes no row.
 */
import { createHash, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type { Redis } from '../../shared/redis.ts';

const deflate = promisify<Buffer, Buffer>(deflateRaw);
const inflate = promisify<Buffer, Buffer>(inflateRaw);

export type Begun =
  /** The caller goes on, and calls `keep` or `release` in the end. */
  | { readonly kind: 'new'; readonly claim: Claim }
  | { readonly kind: 'answered'; readonly answer: string }
  /** The first request with this key is still under way. */
  | { readonly kind: 'busy' }
  /** The key was used with another body. */
  | { readonly kind: 'mismatch' };

export interface Claim {
  readonly key: string;
  readonly digest: Buffer;
  readonly token: Buffer;
}

const DIGEST_BYTES = 16;
/** Attempts to renew a lock before it expires. */
const RENEWALS = 3;
const BUSY = 0x62;
const DONE = 0x64;

/** KEYS: the key. ARGV: what is kept while the request is under way, and for how long, milliseconds. */
const CLAIM = `
  local kept = redis.call('GET', KEYS[1])
  if kept then return kept end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return false`;

/** ARGV: what the key has while the request is under way, and for how long it goes on so, milliseconds. */
const RENEW = `
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

/** Only whoever still has the key may say what becomes of it. ARGV: what it has, the answer or '', milliseconds. */
const SETTLE = `
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 1`;

function digestOf(...parts: readonly (string | Buffer)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest().subarray(0, DIGEST_BYTES);
}

/** `b`, digest, token while the request is under way. */
function busyValue({ digest, token }: Claim): Buffer {
  return Buffer.concat([Buffer.from([BUSY]), digest, token]);
}

export class IdempotencyKeys {
  readonly #redis: Redis;
  readonly #keepMs: number;
  readonly #lockMs: number;

  /** @param lockMs so long after the end of a process its keys are free */
  constructor({ redis, keepMs, lockMs }: { readonly redis: Redis; readonly keepMs: number; readonly lockMs: number }) {
    this.#redis = redis;
    this.#keepMs = keepMs;
    this.#lockMs = lockMs;
  }

  /** @param request what has to be the same: the body, and how it is to be handled */
  async begin(callerId: string, key: string, request: readonly (string | Buffer)[]): Promise<Begun> {
    const name = `http:idempotency:${digestOf(callerId, key).toString('base64url')}`;
    const claim: Claim = { key: name, digest: digestOf(...request), token: randomBytes(8) };
    const kept = (await this.#redis.callBuffer('EVAL', CLAIM, 1, name, busyValue(claim), this.#lockMs)) as Buffer | null;
    if (kept === null) return { kind: 'new', claim };
    if (!kept.subarray(1, 1 + DIGEST_BYTES).equals(claim.digest)) return { kind: 'mismatch' };
    return kept[0] === DONE ? { kind: 'answered', answer: await readAnswer(kept) } : { kind: 'busy' };
  }

  /** Does what the request asks for; the key stays in use, however long it takes. */
  async hold<T>(claim: Claim, work: () => Promise<T>): Promise<T> {
    const renew = setInterval(() => {
      // One that fails is made up for by the next; if none gets through, the answer cannot be kept either, and says so.
      void Promise.allSettled([this.#redis.callBuffer('EVAL', RENEW, 1, claim.key, busyValue(claim), this.#lockMs)]);
    }, this.#lockMs / RENEWALS);
    try {
      return await work();
    } finally {
      clearInterval(renew);
    }
  }

  /** Every later request with this key gets this answer. @throws Error when the key was lost meanwhile */
  async keep(claim: Claim, answer: string): Promise<void> {
    // Hundreds of errors are much the same text.
    const packed = await deflate(Buffer.from(answer));
    const value = Buffer.concat([Buffer.from([DONE]), claim.digest, packed]);
    if (!await this.#settle(claim, value)) throw new Error('the lock of the key has expired');
  }

  /** As if the request had not been made. A key that was lost meanwhile is free, or another request's already. */
  async release(claim: Claim): Promise<void> {
    await this.#settle(claim, Buffer.alloc(0));
  }

  /** @returns whether the claim still had the key */
  async #settle(claim: Claim, value: Buffer): Promise<boolean> {
    return await this.#redis.callBuffer('EVAL', SETTLE, 1, claim.key, busyValue(claim), value, this.#keepMs) !== 0;
  }
}

/** `d`, digest, and the deflated answer. */
async function readAnswer(kept: Buffer): Promise<string> {
  return (await inflate(kept.subarray(1 + DIGEST_BYTES))).toString();
}
