/**
 * Positions as CSV (RFC 4180, with a header). What is not there is an empty cell. An attribute is its plain value, or
 * JSON where it is a sentinel; all attributes together are JSON.
 */
import type { TextRow } from '../database.ts';
import type { Column } from './columns.ts';
import { jsonOf } from './columns.ts';
import type { Format } from './format.ts';

const NEEDS_QUOTES = /[",\r\n]|^\s|\s$/;

function cell(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function valueOf({ kind }: Column, text: string | null): string {
  if (text === null) return '';
  if (kind === 'text') return text;
  const json = jsonOf(kind, text);
  if (json === 'null') return '';
  return json.startsWith('"') ? String(JSON.parse(json)) : json;
}

function line(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

export const csv: Format = (columns) => {
  const shown = columns.filter(({ name }) => !name.startsWith('$'));
  const write = (row: TextRow): string => line(shown.map((column) => valueOf(column, row[column.at] ?? null)));
  return { head: line(shown.map(({ name }) => name)), rows: (rows) => rows.map(write).join(''), tail: '' };
};
