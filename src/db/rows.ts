/**
 * Statements that carry much, both ways. pg assigns a function to a property of every query, V8 allocates such a
 * function among the old objects, and it holds the query. So its values and its rows would stay until the next
 * collection of the whole heap, and each young collection before that would copy them. Here they are let go of.
 */
import type { ClientBase, Pool, QueryConfig } from 'pg';

/**
 * Puts one statement. `query.values` is empty afterwards.
 * @returns its rows
 * @throws Error as `query` of a client or pool does
 */
export async function rowsOf<Row>(on: ClientBase | Pool, query: QueryConfig<unknown[]>): Promise<Row[]> {
  try {
    // Of the two kinds of `query` either would do, and neither type is that of both.
    const { rows } = await (on as ClientBase).query<Record<string, unknown>>(query);
    return rows.splice(0) as Row[];
  } finally {
    query.values?.splice(0);
  }
}
