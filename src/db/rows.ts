/**
 * Statements that carry much, both ways. pg assigns a function to a property of every query, V8 allocates such a
 * function among the old objects, and it holds the query. So its values and its rows would stay until the next
 * collection of the whole heap, and each young collection before that would copy them. Here they are let go of.
 */
import type { ClientBase, Pool, QueryArrayConfig, QueryConfig } from 'pg';

/** A statement; with `rowMode: 'array'` its rows are arrays. */
export type Statement = QueryConfig<unknown[]> | QueryArrayConfig<unknown[]>;

/**
 * Puts one statement. `query.values` is empty afterwards.
 * @returns its rows
 * @throws Error as `query` of a client or pool does
 */
export async function rowsOf<Row>(on: ClientBase | Pool, query: Statement): Promise<Row[]> {
  try {
    // A client and a pool, objects and arrays: each has a type of `query` of its own, and one does for all.
    const { rows } = await (on as ClientBase).query(query as QueryConfig<unknown[]>);
    return rows.splice(0) as Row[];
  } finally {
    query.values?.splice(0);
  }
}
