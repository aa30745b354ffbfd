/**
 * A JSON document that is an array, or an object around one: elements are parsed one by one. A small document may also
 * be a single element.
 */
import { ElementScanner } from '../element-scanner.ts';
import { FieldError } from '../fields.ts';
import type { Fields, Item } from '../item.ts';
import { unreadable } from '../item.ts';

/** A track of half a million points. */
const MAX_ELEMENT_BYTES = 64 * 1024 * 1024;
/** A document of one element is read as a whole. */
const MAX_SINGLE_BYTES = MAX_ELEMENT_BYTES;
const SHOWN_CHARACTERS = 500;

function itemsOf(text: string, at: number, records: (element: Fields) => Iterable<Fields>): Item[] {
  const items: Item[] = [];
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new FieldError('', 'expected an object');
    for (const record of records(parsed as Fields)) items.push({ kind: 'record', at, record });
  } catch (error) {
    const shown = text.slice(0, SHOWN_CHARACTERS);
    if (error instanceof FieldError) items.push(unreadable(at, shown, error.field, error.message));
    else if (error instanceof SyntaxError) items.push(unreadable(at, shown, '', error.message));
    else throw error;
  }
  return items;
}

/**
 * @param names of the array, where the document is an object
 * @throws Error where there is no such array, or the document is cut
 */
export async function* readElements(
  bytes: AsyncIterable<Buffer>, names: readonly string[], records: (element: Fields) => Iterable<Fields>,
): AsyncGenerator<readonly Item[], void, undefined> {
  const scanner = new ElementScanner(names, MAX_ELEMENT_BYTES);
  const single: Buffer[] = [];
  let singleBytes = 0;
  let at = 0;
  for await (const chunk of bytes) {
    const items: Item[] = [];
    for (const text of scanner.push(chunk)) items.push(...itemsOf(text, ++at, records));
    if (scanner.found) single.length = 0;
    else if ((singleBytes += chunk.length) <= MAX_SINGLE_BYTES) single.push(chunk);
    yield items;
  }
  if (!scanner.found) yield itemsOf(Buffer.concat(single).toString().trim(), 1, records);
  else if (!scanner.isComplete) throw new Error('the file ends in the middle of its JSON');
}
