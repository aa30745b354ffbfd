/**
 * What to do after a failed statement, as a table by SQLSTATE (PostgreSQL documentation, appendix A) or by Node's
 * errno. Nothing is decided by the text of an error, except for the few errors of `pg` itself that carry no code.
 * Never throws: what is not in the table is `suspect`.
 */

/**
 * - `retry`: the statement is good, the database is not; the same statement will succeed once it is mended.
 * - `conflict`: a row with this key is there already.
 * - `data`: a value of this statement can never be stored; a retry fails in the same way.
 * - `shrink`: too much at once, or no room for anything: a smaller statement may succeed; the smallest is retried.
 * - `suspect`: cannot be told; worth a few retries, then to be handled like `data`.
 */
export type Action = 'retry' | 'conflict' | 'data' | 'shrink' | 'suspect';

/** Of the pause before the next attempt, milliseconds; 0 where an attempt would be in vain. */
interface Bounds {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

export interface Policy extends Bounds {
  readonly action: Action;
  /** For a log line: what has happened, in words. */
  readonly meaning: string;
}

function retry(meaning: string, minDelayMs = 100, maxDelayMs = 5_000): Policy {
  return { action: 'retry', minDelayMs, maxDelayMs, meaning };
}

/** Contention between transactions passes in milliseconds. */
const soon = (meaning: string): Policy => retry(meaning, 10, 1_000);

/** Only an operator can mend it; trying often fills the log and helps nobody. */
const slowly = (meaning: string): Policy => retry(meaning, 1_000, 30_000);

function final(action: 'conflict' | 'data', meaning: string): Policy {
  return { action, minDelayMs: 0, maxDelayMs: 0, meaning };
}

function suspect(meaning: string): Policy {
  return { action: 'suspect', minDelayMs: 500, maxDelayMs: 10_000, meaning };
}

/** By whole code, or by class: the first two characters of a SQLSTATE. The whole code goes before its class. */
export const POLICIES: Readonly<Record<string, Policy>> = {
  '08': retry('the connection to the database failed'),
  '0A000': slowly('the database lacks a feature that this statement needs'),
  '22': final('data', 'a value does not fit its column'),
  '23502': final('data', 'a value that must be there is missing'),
  '23503': suspect('a row that this one refers to is gone'),
  '23505': final('conflict', 'a row with this key is there already'),
  '23514': final('data', 'a value breaks a check of its table'),
  '25': retry('the transaction was ended by the database'),
  '25006': retry('the database is read-only: a standby, or in the middle of a failover', 500, 10_000),
  '26000': retry('a prepared statement is gone, as after a change of server behind a pooler'),
  '28': slowly('the database refuses the user or the password'),
  '3D000': slowly('the database of that name does not exist'),
  '40': soon('the transaction was rolled back because of another one'),
  '40001': soon('the transaction could not be serialised'),
  '40P01': soon('deadlock with another transaction'),
  '42': slowly('the schema or the permissions are not what this version needs'),
  '53': retry('the database is out of a resource', 500, 30_000),
  '53100': retry('the disk of the database is full', 1_000, 30_000),
  // Its table of locks too: a transaction has one for each chunk or partition that it writes, and for their indexes.
  '53200': { ...retry('the database is out of memory, or of room for locks', 500, 30_000), action: 'shrink' },
  '53300': retry('the database has too many connections', 200, 10_000),
  '54': final('data', 'a value is larger than the database can keep'),
  '55': retry('an object of the database is in use', 100, 5_000),
  '55P03': soon('a lock could not be had in time'),
  '57': retry('the database ended the session'),
  '57014': { ...retry('the statement took longer than POSTGRES_STATEMENT_TIMEOUT_MS', 500, 30_000), action: 'shrink' },
  '57P01': retry('the database is shutting down'),
  '57P02': retry('the database restarts after a crash'),
  '57P03': retry('the database is starting up'),
  '57P04': slowly('the database was dropped'),
  '57P05': retry('the session was idle for too long'),
  '58': retry('the operating system of the database reports an error', 500, 30_000),
  XX: suspect('internal error of the database'),

  ECONNABORTED: retry('the connection to the database was lost'),
  ECONNREFUSED: retry('nothing listens at the address of the database'),
  ECONNRESET: retry('the connection to the database was lost'),
  EPIPE: retry('the connection to the database was lost'),
  ETIMEDOUT: retry('the database does not answer'),
  ENOTFOUND: retry('the host name of the database is not known'),
  EAI_AGAIN: retry('the host name of the database cannot be looked up'),
  EHOSTDOWN: retry('the host of the database is down'),
  EHOSTUNREACH: retry('the host of the database cannot be reached'),
  ENETDOWN: retry('the network is down'),
  ENETUNREACH: retry('the network of the database cannot be reached'),
  EADDRNOTAVAIL: retry('no local port is free for a connection to the database', 500, 10_000),
  EMFILE: retry('this process has too many open files', 500, 10_000),
  ENFILE: retry('the machine has too many open files', 500, 10_000),
  ENOENT: retry('the socket of the database is not there'),
  EACCES: slowly('the socket of the database may not be opened'),
};

const TLS = slowly('TLS with the database cannot be established');
const UNKNOWN = suspect('unknown error');
const LOST = retry('the connection to the database was lost');
const SILENT = retry('the database does not answer');

/** Codes of Node's TLS: families of names rather than a list that ends. */
const TLS_CODE = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO$)/;

/** What `pg` and `pg-pool` throw without any code. A test holds the texts against the installed versions. */
export const DRIVER_ERRORS: ReadonlyMap<string, Policy> = new Map([
  ['Connection terminated', LOST],
  ['Connection terminated unexpectedly', LOST],
  ['Client has encountered a connection error and is not queryable', LOST],
  ['Client was closed and is not queryable', LOST],
  ['Connection terminated due to connection timeout', SILENT],
  ['timeout expired', SILENT],
  ['Query read timeout', SILENT],
  ['timeout exceeded when trying to connect', retry('no connection of the pool became free in time')],
  ['The server does not support SSL connections', TLS],
  ['There was an error establishing an SSL connection', TLS],
]);

/** The SQLSTATE or errno of anything that was thrown; undefined when it has none. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What to do about anything that a query, a COPY or an attempt to connect has thrown. */
export function classify(error: unknown): Policy {
  const code = errorCode(error);
  if (code === undefined) return (error instanceof Error ? DRIVER_ERRORS.get(error.message) : undefined) ?? UNKNOWN;
  const known = POLICIES[code] ?? (code.length === 5 ? POLICIES[code.slice(0, 2)] : undefined);
  return known ?? (TLS_CODE.test(code) ? TLS : UNKNOWN);
}

/**
 * The pause before attempt `attempt + 1`, milliseconds: doubles from `minDelayMs` to `maxDelayMs`, and half of it is
 * random, so that processes which failed together do not come back together.
 * @param attempt failed attempts so far, from 1
 * @param random gives numbers from 0 to below 1, as `Math.random`
 */
export function backoffMs(policy: Bounds, attempt: number, random: () => number): number {
  const doublings = Math.min(Math.max(attempt - 1, 0), 30);
  const ceiling = Math.min(policy.maxDelayMs, policy.minDelayMs * 2 ** doublings);
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}
