/**
 * A page of records whose JSON PostgreSQL puts together. Memory is bounded: a page whose JSON would be longer ends
 * earlier, and the next one begins there.
 */
import type { TextRow } from '../database.ts';

/** Of the JSON of a page with more than one record. */
export const MAX_PAGE_BYTES = 16 * 1024 * 1024;

interface RowsOfPage {
  /** SQL of the rows, one more than the page may have; their JSON in the column `json`. */
  readonly sql: string;
  /** SQL of the most records that the page may have. */
  readonly limit: string;
  /** Columns of these rows, as behind ORDER BY. */
  readonly order: string;
  /** Columns of these rows by which the next page is found, and SQL that they are shown by; absent: as they are. */
  readonly place: readonly { readonly column: string; readonly shownBy?: (column: string) => string }[];
}

/**
 * The rows for `readJsonPage`. Behind those of the page is one without JSON where there are more; it alone has a place,
 * that of the record before it: for all of them it would be a third of what is sent.
 */
export function jsonPageSql({ sql, limit, order, place }: RowsOfPage): string {
  const size = `least(octet_length(json), ${MAX_PAGE_BYTES})`;
  const before = place.map(({ column }) => `lag(${column}) over so_far as ${column}_before`);
  const asIs = (column: string): string => column;
  const end = place.map(({ column, shownBy = asIs }) => `case when not shown then ${shownBy(`${column}_before`)} end`);
  return `
    select case when shown then json end, ${end.join(', ')}
    from (
      select *, number <= ${limit} and bytes <= ${MAX_PAGE_BYTES} as shown
      from (
        select *, row_number() over so_far as number, sum(${size}) over so_far as bytes, ${before.join(', ')}
        from (${sql}) as rows window so_far as (order by ${order} rows unbounded preceding)) as counted
      where bytes - ${size} <= ${MAX_PAGE_BYTES}) as page
    order by ${order}`;
}

export interface JsonPage {
  /** JSON of the records. */
  readonly items: readonly string[];
  /** The place of the last record, where there are more. */
  readonly end: TextRow | null;
}

export function readJsonPage(rows: readonly TextRow[]): JsonPage {
  const [json, ...place] = rows.at(-1) ?? [''];
  return { items: rows.flatMap(([item]) => item ?? []), end: json === null ? place : null };
}
