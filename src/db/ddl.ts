/**
 * Changes to the schema beside writers that go on: one instance at a time, and a lock that cannot be had at once is
 * given up and asked for again, since every writer queues behind a lock that is waited for. A connection that is lost
 * ends the work with its error; the server then rolls back and frees the lock by itself.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient, QueryConfig, QueryResult } from 'pg';
import { LOCK_SPACE, SCHEMA_LOCK } from './advisory-locks.ts';
import { backoffMs, errorCode } from './sqlstate.ts';

const LOCK_POLL_MS = 200;

const LOCK_TIMEOUT_MS = 1_000;
const DDL_ATTEMPTS = 30;
/** deadlock_detected, lock_not_available. */
const CONTENTION = new Set(['40P01', '55P03']);
/** Time for the writers that queued behind the lock. */
const PAUSE = { minDelayMs: 100, maxDelayMs: 2_000 };

/** The longest that a timer of Node can wait, 24 days. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** A statement that may take longer than POSTGRES_STATEMENT_TIMEOUT_MS, on a client from `withSchemaLock`. */
export function longQuery(client: PoolClient, text: string, values?: unknown[]): Promise<QueryResult> {
  // `pg` takes a time-out per query; its types do not have it.
  const query: QueryConfig & { query_timeout: number } = { text, query_timeout: NO_TIMEOUT_MS };
  return client.query(values === undefined ? query : { ...query, values });
}

async function tryLock(client: PoolClient): Promise<boolean> {
  const result = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1, $2) as locked', [
    LOCK_SPACE,
    SCHEMA_LOCK,
  ]);
  return result.rows[0]?.locked === true;
}

async function withClient<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    return await work(client);
  } finally {
    // The session ends with its lock and its settings, whatever state the work left it in.
    client.release(true);
  }
}

async function workOn<T>(client: PoolClient, work: (client: PoolClient) => Promise<T>): Promise<T> {
  await client.query('set statement_timeout = 0');
  const result = await work(client);
  // Now rather than when the server has noticed the end of the session: the next call would find the lock taken.
  await client.query('select pg_advisory_unlock($1, $2)', [LOCK_SPACE, SCHEMA_LOCK]);
  return result;
}

export interface LockWait {
  /** Called once, when another instance has the lock. */
  readonly onWait: () => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` on a connection of its own while no other instance changes the schema.
 * @throws the reason of `signal` when that is aborted while waiting for the lock
 */
export function withSchemaLock<T>(pool: Pool, wait: LockWait, work: (client: PoolClient) => Promise<T>): Promise<T> {
  return withClient(pool, async (client) => {
    // Polled: CREATE INDEX CONCURRENTLY of the instance that has the lock would wait for a statement that waits for it.
    for (let waited = false; !(await tryLock(client)); waited = true) {
      if (!waited) wait.onWait();
      await sleep(LOCK_POLL_MS);
      wait.signal?.throwIfAborted();
    }
    return workOn(client, work);
  });
}

/** As `withSchemaLock`, but gives undefined at once when another instance has the lock. */
export function trySchemaLock<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T | undefined> {
  return withClient(pool, async (client) => ((await tryLock(client)) ? workOn(client, work) : undefined));
}

async function rollBack(client: PoolClient, failure: unknown): Promise<void> {
  try {
    await client.query('rollback');
  } catch {
    // The connection is gone, and `failure` tells why better than this does.
    throw failure;
  }
}

async function transaction<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await rollBack(client, error);
    throw error;
  }
}

/** True for an error that says no more than that others hold locks, or that was thrown because of such a one. */
export function isContention(error: unknown): boolean {
  if (CONTENTION.has(errorCode(error) ?? '')) return true;
  return error instanceof Error && error.cause !== undefined && isContention(error.cause);
}

/**
 * Runs `work` in a transaction whose locks are had within a second or not at all, and runs it again when they are not.
 * @param attempts all together; the default takes about a minute
 * @throws what `work` threw; see `isContention`
 */
export async function inDdlTransaction<T>(
  client: PoolClient,
  work: () => Promise<T>,
  attempts = DDL_ATTEMPTS,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transaction(client, work);
    } catch (error) {
      if (!isContention(error) || attempt >= attempts) throw error;
      await sleep(backoffMs(PAUSE, attempt, Math.random));
    }
  }
}
