/**
 * The database as the role query has it: read-only connections, each question with a time limit, and an end to a
 * question when whoever asked has gone.
 *
 * Guarantees: nothing here can write (`default_transaction_read_only`, set on every connection before its first use);
 * no question outlives its client by more than a second; a connection with a question that was abandoned is never used
 * again. Errors: a `Problem` for what an operator or the caller can mend (away, busy, too slow, gone); anything else is
 * a bug and comes as it is.
 */
import type { ClientBase, Pool, PoolClient, QueryConfig } from 'pg';
import type { Settings } from '../config/settings.ts';
import { createPool } from '../db/pool.ts';
import { rowsOf } from '../db/rows.ts';
import type { QueryEvents } from './events.ts';
import { isOfServer, problemOf, resultOf } from './database-problem.ts';

/** How much a question asks of the database: some rows by an index, or many. */
export type Weight = 'cheap' | 'expensive';

/** One statement. The name is for metrics, so there are few. */
export interface Question {
  readonly name: string;
  readonly text: string;
  readonly values?: readonly unknown[];
  /** Absent: `cheap`. */
  readonly weight?: Weight;
}

/** Whoever answers questions: the database, or what stands in front of it. */
export interface Answering {
  /**
   * All rows of the answer, with bigint and timestamptz as `src/db/pool.ts` gives them.
   * @param signal aborts when the client has gone
   * @throws Problem
   */
  ask<Row>(question: Question, signal: AbortSignal): Promise<Row[]>;
  /** The same with every value as the text that PostgreSQL sends, in the order of the columns. Nothing is parsed. */
  askText(question: Question, signal: AbortSignal): Promise<TextRow[]>;
}

export type TextRow = readonly (string | null)[];

type ReadSettings = Pick<Settings, 'QUERY_POOL_SIZE' | 'QUERY_STATEMENT_TIMEOUT_MS' | 'INSTANCE_ID'>;

/**
 * JIT costs more than it gives for questions of milliseconds. The last one makes a server end the statement of a client
 * that has hung up; on Windows it cannot be set.
 */
const SESSION = "select set_config('default_transaction_read_only', 'on', false), set_config('jit', 'off', false)";
const WATCH_CLIENT = "select set_config('client_connection_check_interval', '500ms', false)";
/**
 * Pages of the disk that are asked for ahead. Records of one tracker lie on as many pages as there are records, until
 * they are compressed: 5,000 of them that are not in memory take 125 ms in the place of 450 with the default of
 * PostgreSQL before 18. Where that is 0 the platform cannot.
 */
const READ_AHEAD = `select set_config(name, '128', false) from pg_settings
  where name = 'effective_io_concurrency' and boot_val <> '0'`;

async function prepareSession(client: ClientBase, onError: (error: Error) => void): Promise<void> {
  await client.query(SESSION);
  await client.query(READ_AHEAD);
  try {
    await client.query(WATCH_CLIENT);
  } catch (error) {
    if (!isOfServer(error)) throw error;
    onError(error);
  }
}

/** Read-only connections for questions. `onError`: every connection that was lost. */
export function createReadPool(settings: ReadSettings, url: string, onError: (error: Error) => void): Pool {
  const limits = {
    INSTANCE_ID: settings.INSTANCE_ID,
    POSTGRES_POOL_SIZE: settings.QUERY_POOL_SIZE,
    POSTGRES_STATEMENT_TIMEOUT_MS: settings.QUERY_STATEMENT_TIMEOUT_MS,
  };
  return createPool(limits, url, 'query', onError, (client) => prepareSession(client, onError));
}

function statementOf({ text, values = [] }: Question): QueryConfig<unknown[]> {
  return { text, values: [...values] };
}

const AS_TEXT = { getTypeParser: () => (text: unknown): unknown => text };

export class QueryDatabase implements Answering {
  readonly #pool: Pool;
  readonly #events: QueryEvents;

  constructor(pool: Pool, events: QueryEvents) {
    this.#pool = pool;
    this.#events = events;
  }

  async ask<Row>(question: Question, signal: AbortSignal): Promise<Row[]> {
    return this.#answer(question, signal, (client) => rowsOf<Row>(client, statementOf(question)));
  }

  async askText(question: Question, signal: AbortSignal): Promise<TextRow[]> {
    return this.#answer(question, signal, (client) =>
      rowsOf<TextRow>(client, { ...statementOf(question), rowMode: 'array', types: AS_TEXT }));
  }

  async #answer<Row>(
    question: Question,
    signal: AbortSignal,
    put: (client: PoolClient) => Promise<Row[]>,
  ): Promise<Row[]> {
    const startedAt = performance.now();
    try {
      const rows = await this.#withClient(signal, put);
      this.#events.answered(question.name, 'ok', performance.now() - startedAt, rows.length);
      return rows;
    } catch (error) {
      this.#events.answered(question.name, resultOf(error, signal), performance.now() - startedAt, 0);
      throw problemOf(error, signal);
    }
  }

  /** A client that goes takes its connection with it: the server notices, and ends the statement. */
  async #withClient<T>(signal: AbortSignal, work: (client: PoolClient) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const client = await this.#pool.connect();
    let isReleased = false;
    const release = (destroy: boolean): void => {
      if (isReleased) return;
      isReleased = true;
      client.release(destroy);
    };
    const abandon = (): void => { release(true); };
    signal.addEventListener('abort', abandon, { once: true });
    try {
      signal.throwIfAborted();
      const result = await work(client);
      release(false);
      return result;
    } catch (error) {
      // What PostgreSQL says of a statement leaves the connection as it was.
      release(!isOfServer(error));
      throw error;
    } finally {
      signal.removeEventListener('abort', abandon);
    }
  }
}
