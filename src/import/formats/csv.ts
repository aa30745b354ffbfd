/**
 * CSV with a header line: comma, semicolon or tab, quoted or not. Columns are found by their usual names; Traccar's two
 * forms, the export of its API and that of its table `tc_positions`, are told by theirs.
 */
import { Readable } from 'node:stream';
import type { CsvErrorCode } from 'csv-parse';
import { CsvError, parse } from 'csv-parse';
import { FieldError, FieldReader, targetsOf } from '../fields.ts';
import type { Item, ReadOptions, Reader } from '../item.ts';
import { unreadable } from '../item.ts';
import { TraccarRows, isTraccarHeader } from './traccar.ts';

const MAX_ROW_BYTES = 1024 * 1024;
/** Rows that are handed on together. */
const PART = 500;

interface Row {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

export type RowReader = (values: readonly string[]) => Record<string, unknown>;

function delimiterOf(line: string): string {
  const counted = [',', ';', '\t', '|'].map((delimiter) => [delimiter, line.split(delimiter).length] as const);
  return counted.reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}

/** The first line, and all the bytes again. */
async function peek(
  bytes: AsyncIterable<Buffer>,
): Promise<{ readonly head: string; readonly all: AsyncGenerator<Buffer, void, undefined> }> {
  const iterator = bytes[Symbol.asyncIterator]();
  const begun: Buffer[] = [];
  let head = Buffer.alloc(0);
  while (!head.includes(0x0a) && head.length < MAX_ROW_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    begun.push(next.value);
    head = Buffer.concat([head, next.value]);
  }
  async function* all(): AsyncGenerator<Buffer, void, undefined> {
    yield* begun;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  }
  return { head: head.toString().split('\n', 1)[0] ?? '', all: all() };
}

function rowReaderOf(header: readonly string[], options: ReadOptions): RowReader {
  if (isTraccarHeader(header)) return new TraccarRows(header, options).read;
  const fields = new FieldReader(options);
  const targets = targetsOf(header, options);
  return (values) => fields.record(targets, values);
}

function itemOf({ record, info }: Row, read: RowReader): Item {
  try {
    return { kind: 'record', at: info.lines, record: read(record) };
  } catch (error) {
    if (error instanceof FieldError) return unreadable(info.lines, record.join(','), error.field, error.message);
    throw error;
  }
}

/** A quote that does not close takes the rest of the file with it: that ends the import, with its line. */
const BROKEN_FILE: readonly CsvErrorCode[] = ['CSV_MAX_RECORD_SIZE', 'CSV_QUOTE_NOT_CLOSED'];

export const csv: Reader = async function* read(bytes, options) {
  const { head, all } = await peek(bytes);
  const parser = parse({
    bom: true, delimiter: delimiterOf(head), info: true, relax_column_count: true, relax_quotes: true, trim: true,
    skip_empty_lines: true, max_record_size: MAX_ROW_BYTES,
  });
  const source = Readable.from(all);
  source.once('error', (error) => { parser.destroy(error); });
  source.pipe(parser);
  let rowReader: RowReader | null = null;
  let items: Item[] = [];
  try {
    for await (const row of parser as AsyncIterable<Row>) {
      if (rowReader === null) {
        rowReader = rowReaderOf(row.record, options);
        continue;
      }
      items.push(itemOf(row, rowReader));
      if (items.length < PART) continue;
      yield items;
      items = [];
    }
  } catch (error) {
    if (error instanceof CsvError && BROKEN_FILE.includes(error.code)) throw new Error(`not CSV: ${error.message}`, { cause: error });
    throw error;
  } finally {
    source.destroy();
  }
  yield items;
};
