/**
 * Connections to PostgreSQL. A lost connection never ends the process: it is reported to `onError`, the statement that
 * ran on it fails, and the pool connects again when it is next asked. Nothing is retried here except the first contact.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Settings } from '../config/settings.ts';
import { errorMessage } from '../shared/errors.ts';
import { backoffMs, classify, errorCode } from './sqlstate.ts';

export type PoolSettings = Pick<Settings, 'POSTGRES_POOL_SIZE' | 'POSTGRES_STATEMENT_TIMEOUT_MS' | 'INSTANCE_ID'>;

const CONNECTION_TIMEOUT_MS = 5_000;
/** The server ends a statement in time; after this much longer it is frozen or gone. */
const SILENCE_GRACE_MS = 5_000;
const KEEP_ALIVE_DELAY_MS = 10_000;
/** PostgreSQL cuts names at NAMEDATALEN − 1 bytes. */
const NAME_LIMIT = 63;

/**
 * Session settings that queries rely on. TimescaleDB before 2.16 decompresses the rows that a late record might collide
 * with (timescale/timescaledb#7075), and refuses more than 100,000 of them per transaction; without TimescaleDB the
 * setting is a name without effect.
 */
const SESSION_OPTIONS = [
  '-c timezone=UTC',
  '-c datestyle=ISO',
  '-c timescaledb.max_tuples_decompressed_per_dml_transaction=0',
].join(' ');

function parseInt8(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

type TextParser = (text: string) => unknown;

/** Its types take the numbers of an enum, while PostgreSQL sends any number. */
const defaultParser = pg.types.getTypeParser as (oid: number, format: 'text' | 'binary') => TextParser;
const parseDate = defaultParser(pg.types.builtins.TIMESTAMPTZ, 'text');

/** `infinity` becomes Infinity, and below a millisecond is cut. */
function parseTimestamp(text: string): number {
  return Number(parseDate(text));
}

/** By object id of the type. */
const TEXT_PARSERS: ReadonlyMap<number, TextParser> = new Map<number, TextParser>([
  [pg.types.builtins.INT8, parseInt8],
  [pg.types.builtins.TIMESTAMPTZ, parseTimestamp],
]);

/** Of this pool alone: `pg.types.setTypeParser` would change every other user of `pg` in the process. */
const types = {
  getTypeParser: (oid: number, format: 'text' | 'binary' = 'text'): TextParser =>
    (format === 'text' ? TEXT_PARSERS.get(oid) : undefined) ?? defaultParser(oid, format),
};

/** `odograph/<role>/<instance>` as pg_stat_activity shows it: printable ASCII, cut where PostgreSQL would cut. */
export function applicationName(role: string, instance: string): string {
  return `odograph/${role}/${instance}`.replace(/[^\x20-\x7e]/g, '?').slice(0, NAME_LIMIT);
}

/**
 * A pool that connects when it is first used. Its queries give bigint columns as number (as bigint beyond ±(2^53−1))
 * and timestamptz columns as epoch milliseconds; arrays of these types stay as `pg` gives them.
 * @param url connection string; what it sets itself (application_name, options …) goes before what is set here
 * @param role shown in the name of the connections
 * @param onError every connection that was lost, in use or idle
 * @param prepare done on every new connection before it is used, and waited for; where it fails, there is no connection
 */
export function createPool(
  settings: PoolSettings,
  url: string,
  role: string,
  onError: (error: Error) => void,
  prepare?: (client: pg.ClientBase) => unknown,
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: applicationName(role, settings.INSTANCE_ID),
    options: SESSION_OPTIONS,
    max: settings.POSTGRES_POOL_SIZE,
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    statement_timeout: settings.POSTGRES_STATEMENT_TIMEOUT_MS,
    query_timeout: settings.POSTGRES_STATEMENT_TIMEOUT_MS + SILENCE_GRACE_MS,
    types,
    ...(prepare === undefined ? {} : { onConnect: prepare }),
  });
  pool.on('connect', (client) => {
    client.on('error', onError);
  });
  // The pool repeats what its idle clients report; without a listener the repetition would end the process.
  pool.on('error', () => undefined);
  return pool;
}

/** Why the database cannot be used yet. The last two need an operator, and are retried until one has come. */
export type Obstacle = 'unreachable' | 'login refused' | 'no such database';

export interface FailedAttempt {
  /** Counted from 1. */
  readonly attempt: number;
  /** Pause before the next attempt, milliseconds. */
  readonly delayMs: number;
  readonly obstacle: Obstacle;
  /** For the log: the obstacle and what is behind it, without the password. */
  readonly line: string;
}

export interface WaitOptions {
  readonly signal: AbortSignal;
  readonly onRetry: (failure: FailedAttempt) => void;
  readonly random?: () => number;
}

const FIRST_CONTACT = { minDelayMs: 100, maxDelayMs: 5_000 };

function obstacleOf(error: unknown): Obstacle {
  const code = errorCode(error) ?? '';
  if (code.startsWith('28')) return 'login refused';
  return code === '3D000' ? 'no such database' : 'unreachable';
}

/** Node reports a host with several addresses as an AggregateError, whose own message is empty. */
function causeOf(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(errorMessage))].join('; ');
  return errorMessage(error);
}

function failedAttempt(error: unknown, attempt: number, random: () => number): FailedAttempt {
  const policy = classify(error);
  const delayMs = backoffMs(FIRST_CONTACT, attempt, random);
  const obstacle = obstacleOf(error);
  const line = `${obstacle} (${policy.meaning}: ${causeOf(error)})`;
  return { attempt, delayMs, obstacle, line };
}

/** Rejects with the signal's reason; `cleanUp` takes the listener off. */
function abortion(signal: AbortSignal): { readonly aborted: Promise<never>; readonly cleanUp: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(signal.reason as Error);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    aborted: promise,
    cleanUp: () => {
      signal.removeEventListener('abort', onAbort);
    },
  };
}

/**
 * Resolves once the database answers a query, after any number of attempts (100 ms to 5 s apart). Every kind of
 * failure is retried, a refused login and a missing database too: both are mended while the process waits.
 * @throws the reason of `signal` as soon as that is aborted
 */
export async function waitForDatabase(pool: pg.Pool, options: WaitOptions): Promise<void> {
  const { signal, onRetry, random = Math.random } = options;
  signal.throwIfAborted();
  const { aborted, cleanUp } = abortion(signal);
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await Promise.race([pool.query('select 1'), aborted]);
        return;
      } catch (error) {
        signal.throwIfAborted();
        const failure = failedAttempt(error, attempt, random);
        onRetry(failure);
        await Promise.race([sleep(failure.delayMs, undefined, { signal }), aborted]);
      }
    }
  } finally {
    cleanUp();
  }
}
