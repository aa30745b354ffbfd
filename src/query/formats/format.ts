/** What a download is made of. A format is asked for its parts in turn, so it never has more than some rows in hand. */
import type { PlacedColumn } from './columns.ts';
import type { TextRow } from '../database.ts';

export interface Writer {
  /** What comes before the first row. */
  readonly head: string;
  /** Some rows, never none. */
  rows(rows: readonly TextRow[]): string;
  /** What comes after the last row. */
  readonly tail: string;
}

/** What a document says of itself. */
export interface Subject {
  readonly deviceId: string;
  /** Device name for people. */
  readonly name: string;
}

/** Makes a writer for rows of these columns. */
export type Format = (columns: readonly PlacedColumn[], subject: Subject) => Writer;

/** Where a column is in a row. @throws Error when it is not there, which is a bug */
export function placeIn(columns: readonly PlacedColumn[], name: string): number {
  const column = columns.find((one) => one.name === name);
  if (column === undefined) throw new Error(`no column ${name}`);
  return column.at;
}

const XML_ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;',
};

/** Not even as references may these stand in XML 1.0. */
const NOT_IN_XML = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** Text for the content of an element or of an attribute. What XML cannot hold is U+FFFD. */
export function xmlText(text: string): string {
  return text.replace(NOT_IN_XML, '\uFFFD').replace(/[&<>"']/g, (character) => XML_ENTITIES[character] ?? character);
}
